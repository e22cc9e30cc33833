import type { IntelSource } from '../../config/sections/intelligence.ts'
import type { NewOpinion } from '../../store/repositories/intel.ts'
import { parseIndicator } from '../indicator.ts'
import { levelOfWord, LEVEL_WORDS } from '../levels.ts'

/** What a source's file says, or which lines cannot be used. */
export interface ParsedSource {
  readonly rows: readonly NewOpinion[]
  /** `line 17: …`, the first few. */
  readonly errors: readonly string[]
  readonly badLines: number
}

export type SourceFormat = Pick<IntelSource, 'name' | 'format' | 'level' | 'category'>

export const MAX_INDICATORS = 500_000
const SHOWN_ERRORS = 5
const MAX_AGE_DAYS = 36_500
const MAX_LINE = 8192

/** A CSV line: commas, values in double quotes with doubled quotes inside. null = a quote is not closed. */
export const csvFields = (line: string): readonly string[] | null => {
  const out: string[] = []
  for (let at = 0; ;) {
    while (line[at] === ' ' || line[at] === '\t') at++
    let value = ''
    if (line[at] === '"') {
      for (at++; ; at++) {
        if (at >= line.length) return null
        if (line[at] !== '"') value += line[at] as string
        else if (line[at + 1] === '"') value += line[at++] as string
        else break
      }
      at++
      while (line[at] === ' ' || line[at] === '\t') at++
      if (at < line.length && line[at] !== ',') return null
    } else {
      const comma = line.indexOf(',', at)
      const end = comma < 0 ? line.length : comma
      value = line.slice(at, end).trim()
      at = end
    }
    out.push(value)
    if (at >= line.length) return out
    at++
  }
}

type Row = { readonly row: NewOpinion } | { readonly error: string }

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
      level: said,
      category: category !== '' ? category.slice(0, 256) : source.category !== '' ? source.category : null,
      ageDays: age === '' ? null : Number(age),
      reason: reason !== '' ? reason.slice(0, 256) : `listed by ${source.name}`,
    },
  }
}

/**
 * `lines`: one URL or domain a line. `csv`: indicator,level,category,age in days,reason; all but the first may be empty
 * or left out. Empty lines and lines that begin with # do not count.
 */
export const parseSource = (text: string, source: SourceFormat): ParsedSource => {
  const rows = new Map<string, NewOpinion>()
  const errors: string[] = []
  let badLines = 0
  const bad = (number: number, error: string): void => {
    badLines++
    if (errors.length < SHOWN_ERRORS) errors.push(`line ${number}: ${error}`)
  }
  let number = 0
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    number++
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    if (line.length > MAX_LINE) {
      bad(number, `longer than ${MAX_LINE} characters.`)
      continue
    }
    const fields = source.format === 'csv' ? csvFields(line) : [line]
    const result = fields === null ? { error: 'a double quote is not closed.' } : rowOf(source, fields)
    if ('error' in result) bad(number, result.error)
    else rows.set(`${result.row.kind}:${result.row.key}`, result.row)
    if (rows.size > MAX_INDICATORS) {
      bad(number, `the file has more than ${MAX_INDICATORS} indicators.`)
      break
    }
  }
  return { rows: [...rows.values()], errors, badLines }
}
