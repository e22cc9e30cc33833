/* Countries by their two letters (ISO 3166-1 alpha-2), with the English names that the run time knows (CLDR). */

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Codes that CLDR names and that are no country of an address: unions, sentinels, pseudo regions. */
const NONE = new Set(['EU', 'EZ', 'UN', 'XA', 'XB', 'ZZ', 'QO'])

/** `DD` and the like are names of the past for a country that has another code. */
const isCurrent = (code: string): boolean => !NONE.has(code) && new Intl.Locale(`und-${code}`).region === code

let known: ReadonlyMap<string, string> | null = null

/** Read once, at the first question: a configuration without countries does not pay for it. */
const names = (): ReadonlyMap<string, string> => {
  if (known) return known
  const english = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  const codes = [...LETTERS].flatMap((a) => [...LETTERS].map((b) => `${a}${b}`)).filter(isCurrent)
  known = new Map(
    codes.flatMap((code): readonly [string, string][] => {
      const name = english.of(code)
      return name === undefined ? [] : [[code, name]]
    }),
  )
  return known
}

/** `DE` → `Germany`; null when there is no such country. */
export const countryName = (code: string): string | null => names().get(code.toUpperCase()) ?? null

/** `de` or `germany` → `DE`; null when there is no such country. */
export const countryCode = (text: string): string | null => {
  const typed = text.trim()
  if (countryName(typed) !== null) return typed.toUpperCase()
  const lower = typed.toLowerCase()
  return [...names()].find(([, name]) => name.toLowerCase() === lower)?.[0] ?? null
}
