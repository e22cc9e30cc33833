import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFile } from '../../logs/ports.ts'

/** `mail.@20220329T202010.c` (open) and `.s` (closed). */
const NAME = /^(.+)\.@(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.([cs])$/

const parts = (name: string): { readonly stem: string; readonly local: number; readonly current: boolean } | null => {
  const m = NAME.exec(name)
  if (!m) return null
  const [, stem = '', y, mo, d, h, mi, s, status] = m
  return {
    stem,
    local: Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s)),
    current: status === 'c',
  }
}

export interface NamedLogFile extends LogFile {
  readonly name: string
  /** The stamp in the name as if it were UTC: names of one stem sort by it. */
  readonly local: number
}

/** The files of one stem, oldest first. The stamp is local time; `offsetSeconds` turns it into an instant. */
export const listLogFiles = (directory: string, stem: string, offsetSeconds: number): readonly NamedLogFile[] => {
  let names: readonly string[]
  try {
    names = readdirSync(directory)
  } catch {
    return []
  }
  return names
    .flatMap((name): NamedLogFile[] => {
      const p = parts(name)
      if (p?.stem !== stem) return []
      const path = join(directory, name)
      const stats = statSync(path, { throwIfNoEntry: false })
      if (!stats) return []
      const openedAt = new Date(p.local - offsetSeconds * 1000)
      return [{ name, path, openedAt, current: p.current, bytes: stats.size, local: p.local }]
    })
    .sort((a, b) => a.local - b.local)
}

const stampText = (local: number): string => new Date(local).toISOString().slice(0, 19).replace(/[-:]/g, '')

/**
 * The name of the next file. Its stamp is later than every present one, also when the clock or the zone went back:
 * the order of the names is the order of the lines.
 */
export const nextLogName = (stem: string, stamp: string, existing: readonly NamedLogFile[]): string => {
  const wanted = parts(`${stem}.@${stamp}.c`)?.local ?? 0
  const last = existing.at(-1)?.local ?? 0
  return `${stem}.@${stampText(Math.max(wanted, last + 1000))}.c`
}

/** `….c` → `….s`. */
export const closedName = (path: string): string => path.replace(/\.c$/, '.s')
