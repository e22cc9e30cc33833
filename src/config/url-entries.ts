import { isIP } from 'node:net'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { isHostname } from '../core/schema.ts'
import { printableCut } from '../core/text.ts'

/** The forms of entry, for questions and refusals. */
export const URL_ENTRY_FORMS = 'example.com, example.com/*, *.example.com, 10.2.4.5/24, [2001:DB8::1]'

const isBits = (bits: string, max: number): boolean => /^\d{1,3}$/.test(bits) && Number(bits) <= max

const isUrlEntry = (entry: string): boolean => {
  if (entry.length > 2048) return false
  const v6 = /^\[([^\]]*)\](?:\/(.*))?$/.exec(entry)
  if (v6) return isIP(v6[1] ?? '') === 6 && (v6[2] === undefined || isBits(v6[2], 128))
  const slash = entry.indexOf('/')
  const host = slash < 0 ? entry : entry.slice(0, slash)
  const path = slash < 0 ? '' : entry.slice(slash + 1)
  if (isIP(host) === 4) return slash < 0 || isBits(path, 32) || path === '*'
  return isHostname(host.replace(/^\*\./, '').replace(/:\d{1,5}$/, '')) && isIP(host) === 0 && !/[\s,]/.test(path)
}

/** Reads URL entries, separated by commas or white space; `http://` in front is dropped, doubles are taken once. */
export const parseUrlEntries = (answer: string): Result<string[]> => {
  const entries = answer
    .split(/[\s,]+/)
    .filter((e) => e !== '')
    .map((e) => e.replace(/^https?:\/\//i, ''))
  if (entries.length === 0) return fail('A value is required.')
  const wrong = entries.find((e) => !isUrlEntry(e))
  if (wrong !== undefined)
    return fail(`'${printableCut(wrong, 100)}' cannot stand in a URL list. (Ex: ${URL_ENTRY_FORMS})`)
  return ok([...new Set(entries)])
}

/** An import file: its first line is the name of the list, every further line one URL. Blank lines and `#` lines do not count. */
export const parseUrlListFile = (content: string): Result<{ readonly name: string; readonly urls: string[] }> => {
  const lines = content
    .split(/\r?\n/)
    .map((text, i) => ({ text: text.trim(), number: i + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'))
  const [head, ...rest] = lines
  if (!head || rest.length === 0) return fail('The first line must be the name of the list, each further line one URL.')
  const urls: string[] = []
  for (const { text, number } of rest) {
    const parsed = parseUrlEntries(text)
    if (!parsed.ok) return fail(`Line ${number}: ${parsed.error}`)
    urls.push(...parsed.value)
  }
  return ok({ name: head.text, urls: [...new Set(urls)] })
}
