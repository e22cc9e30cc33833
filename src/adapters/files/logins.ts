import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { LoginRecord, LoginStore } from '../../services/logins.ts'

const STATES: readonly string[] = ['present', 'left', 'timed out', 'lost', 'refused']

/** A small file that is replaced whole. A disk that is full must keep nobody out: a record that cannot be written is lost. */
export const loginFile = (path: string): LoginStore => ({
  load: () => {
    try {
      return (JSON.parse(readFileSync(path, 'utf8')) as unknown[]).flatMap(record)
    } catch {
      return []
    }
  },
  save: (records) => {
    try {
      writeFileSync(`${path}.new`, `${JSON.stringify(records)}\n`, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    } catch {
      // The next save tries again.
    }
  },
})

const record = (raw: unknown): readonly LoginRecord[] => {
  const r = (raw ?? {}) as Readonly<Record<string, unknown>>
  const date = (value: unknown): Date => new Date(typeof value === 'string' ? value : NaN)
  const at = date(r['at'])
  const end = r['end'] === null ? null : date(r['end'])
  if (typeof r['user'] !== 'string' || typeof r['from'] !== 'string' || !STATES.includes(String(r['state']))) return []
  if (Number.isNaN(at.getTime()) || (end !== null && Number.isNaN(end.getTime()))) return []
  const attempts = typeof r['attempts'] === 'number' && r['attempts'] >= 1 ? Math.floor(r['attempts']) : 1
  return [{ user: r['user'], from: r['from'], at, end, state: r['state'] as LoginRecord['state'], attempts }]
}
