import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { CounterName, CounterState, CounterStore, CounterValues } from '../../events/counters.ts'

/** Lifetime counters in a small file that is replaced whole. Losing it costs numbers, never mail, so it is not synced. */
export const counterFile = (path: string, names: readonly CounterName[]): CounterStore => ({
  load: () => {
    try {
      const raw = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
      const reset = raw['reset'] as { at: string; values: unknown } | null | undefined
      return {
        lifetime: values(raw['lifetime'], names),
        reset: !reset ? null : { at: new Date(reset.at), values: values(reset.values, names) },
      }
    } catch {
      return null
    }
  },
  save: (state: CounterState) => {
    try {
      writeFileSync(`${path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    } catch {
      // A full disk: the next save tries again.
    }
  },
})

const values = (raw: unknown, names: readonly CounterName[]): CounterValues => {
  const given = (raw ?? {}) as Readonly<Record<string, unknown>>
  const count = (n: unknown): number => (typeof n === 'number' && n >= 0 && Number.isFinite(n) ? Math.floor(n) : 0)
  return Object.fromEntries(names.map((name) => [name, count(given[name])])) as CounterValues
}
