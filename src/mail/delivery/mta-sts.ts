import type { StsMode } from '../../store/sts-policies.ts'

/* MTA-STS: the record and the policy that a domain publishes of its mail hosts (RFC 8461). */

const MODES = ['enforce', 'testing', 'none'] as const

export interface StsPolicy {
  readonly mode: StsMode
  /** `mail.example.com`, or `*.example.com` for one label in front. Lower case. */
  readonly mx: readonly string[]
  readonly maxAgeSeconds: number
}

/** About a year (RFC 8461 §3.2). */
const MAX_AGE_SECONDS = 31_557_600
const MAX_LINES = 1000
const MAX_MX = 100

/** The id of the one valid record among the TXT strings of `_mta-sts.<domain>`; null = none, or more than one (§3.1). */
export const stsId = (records: readonly string[]): string | null => {
  const [record, ...more] = records.filter((r) => /^v=STSv1[\t ]*;/.test(r))
  if (record === undefined || more.length > 0) return null
  const fields = record.split(';').slice(1)
  // A semicolon may end the record.
  if ((fields.at(-1) ?? '').trim() === '') fields.pop()
  const parsed = fields.map((f) => /^[\t ]*([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([!-:<>-~]+)[\t ]*$/.exec(f))
  if (parsed.some((f) => f === null)) return null
  const ids = parsed.filter((f) => f?.[1] === 'id')
  const id = ids[0]?.[2] ?? ''
  return ids.length === 1 && /^[A-Za-z0-9]{1,32}$/.test(id) ? id : null
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const PATTERN = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`)

/** Read by §3.2: `key: value` lines; of a key that stands twice the first counts, but for mx. @throws Error */
export const parseStsPolicy = (text: string): StsPolicy => {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (lines.length > MAX_LINES) throw new Error(`it has more than ${MAX_LINES} lines`)
  const fields = lines.map((line, i): readonly [string, string] => {
    const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[\t ]*(.*?)[\t ]*$/.exec(line) ?? []
    if (key === undefined || value === undefined) throw new Error(`line ${i + 1} is no "key: value"`)
    return [key, value]
  })
  const first = (key: string): string | undefined => fields.find(([k]) => k === key)?.[1]
  if (first('version') !== 'STSv1') throw new Error('its version is not STSv1')
  const mode = MODES.find((m) => m === first('mode'))
  if (mode === undefined) throw new Error('its mode is none of enforce, testing, none')
  const age = first('max_age') ?? ''
  if (!/^\d{1,10}$/.test(age)) throw new Error('its max_age is missing or no number')
  const mx = fields.filter(([key]) => key === 'mx').map(([, value]) => value.toLowerCase())
  if (mx.length > MAX_MX) throw new Error(`it has more than ${MAX_MX} mx lines`)
  if (mx.some((m) => m.length > 255 || !PATTERN.test(m))) throw new Error('an mx line is no host name')
  if (mx.length === 0 && mode !== 'none') throw new Error('it names no mx')
  return { mode, mx, maxAgeSeconds: Math.min(Number(age), MAX_AGE_SECONDS) }
}

/** §4.1: the whole name, or one label in the place of the asterisk. */
export const isMxOf = ({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean => {
  const name = host.toLowerCase().replace(/\.$/, '')
  const parent = name.slice(name.indexOf('.') + 1)
  return mx.some((m) => m === name || (name.includes('.') && m === `*.${parent}`))
}
