import type { IntelSource } from '../../config/sections/intelligence.ts'
import type { NewOpinion } from '../../store/repositories/intel.ts'
import { parseIndicator } from '../indicator.ts'
import { levelOfWord, LEVEL_WORDS } from '../levels.ts'
import { shortHash } from '../url/hash.ts'
import { probeOf } from '../url/watch-keys.ts'
import { csvFields } from './csv.ts'
import { FEED_READERS } from './feeds.ts'
import { condemnsTopDomain } from './guard.ts'

/** What a source says, and which of its lines cannot be used. */
export interface ParsedSource {
  readonly rows: readonly NewOpinion[]
  /** `line 17: …`, the first few. */
  readonly errors: readonly string[]
  readonly badLines: number
  /** Left out because they condemn a top domain as a whole; the first few. */
  readonly guarded: readonly string[]
  readonly guardedRows: number
}

export type SourceFormat = Pick<IntelSource, 'name' | 'format' | 'level' | 'category'>

export const MAX_INDICATORS = 500_000
const SHOWN_ERRORS = 5
const MAX_AGE_DAYS = 36_500
const MAX_LINE = 8192
const MAX_REASON = 256
/** Rows until others get a turn: a large feed must not stop the mail. */
const TURN = 2000

type Row = { readonly row: NewOpinion } | { readonly error: string }
type Found = { readonly at: string; readonly result: Row }

/** Errors never quote the file: whoever may name a file here need not be allowed to read it. */
const rowOf = (source: SourceFormat, fields: readonly string[]): Row => {
  const [indicator = '', level = '', category = '', age = '', reason = ''] = fields
  const parsed = parseIndicator(indicator, 'the entry')
  if (!parsed.ok) return { error: parsed.error }
  const said = levelOfWord(level === '' ? source.level : level)
  if (said === null) return { error: `the level is not one of: ${LEVEL_WORDS}.` }
  if (age !== '' && !(/^\d{1,5}$/.test(age) && Number(age) <= MAX_AGE_DAYS))
    return { error: `the age must be a number of days up to ${MAX_AGE_DAYS}.` }
  const { kind, key } = parsed.value
  return {
    row: {
      kind,
      key,
      hash: shortHash(key),
      probe: probeOf(key),
      level: said,
      category: category !== '' ? category.slice(0, 256) : source.category !== '' ? source.category : null,
      ageDays: age === '' ? null : Number(age),
      reason: reason !== '' ? reason.slice(0, MAX_REASON) : `listed by ${source.name}`,
    },
  }
}

/**
 * `lines`: one URL or domain a line. `csv`: indicator,level,category,age in days,reason; all but the first may be empty
 * or left out. Empty lines and lines that begin with # do not count.
 */
const plainRows = function* (text: string, source: SourceFormat): Generator<Found> {
  let number = 0
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    number++
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const at = `line ${number}`
    if (line.length > MAX_LINE) {
      yield { at, result: { error: `longer than ${MAX_LINE} characters.` } }
      continue
    }
    const fields = source.format === 'csv' ? csvFields(line) : [line]
    yield { at, result: fields === null ? { error: 'a double quote is not closed.' } : rowOf(source, fields) }
  }
}

const feedRows = function* (text: string, source: SourceFormat): Generator<Found> {
  for (const { at, indicator, reason, weak } of FEED_READERS[source.format]?.(text) ?? [])
    yield { at, result: rowOf(source, [indicator.trim(), weak ? 'questionable' : '', '', '', reason]) }
}

/** @throws UserError when the text is not in the source's format at all. */
export const parseSource = async (text: string, source: SourceFormat): Promise<ParsedSource> => {
  const rows = new Map<string, NewOpinion>()
  const errors: string[] = []
  const guarded: string[] = []
  let badLines = 0
  let guardedRows = 0
  const bad = (at: string, error: string): void => {
    badLines++
    if (errors.length < SHOWN_ERRORS) errors.push(`${at}: ${error}`)
  }
  let turn = 0
  for (const { at, result } of (FEED_READERS[source.format] ? feedRows : plainRows)(text, source)) {
    if (++turn % TURN === 0) await new Promise(setImmediate)
    if ('error' in result) bad(at, result.error)
    else if (condemnsTopDomain(result.row)) {
      guardedRows++
      if (guarded.length < SHOWN_ERRORS) guarded.push(result.row.key)
    } else rows.set(`${result.row.kind}:${result.row.key}`, result.row)
    if (rows.size > MAX_INDICATORS) {
      bad(at, `the source has more than ${MAX_INDICATORS} indicators.`)
      break
    }
  }
  return { rows: [...rows.values()], errors, badLines, guarded, guardedRows }
}
