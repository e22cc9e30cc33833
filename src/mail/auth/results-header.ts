import type { Authentication } from './authenticate.ts'

const MAX_RESULT = 500

/** Text from DNS or the envelope inside a header field: printable ASCII only, no folds of its own. */
const safe = (text: string): string =>
  text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/;/g, ',')
    .slice(0, MAX_RESULT)
    .trim()

/** Authentication-Results (RFC 8601) for the top of the message, CRLF-terminated, one method a line. */
export const authenticationResults = (hostname: string, results: Authentication['results']): string =>
  `Authentication-Results: ${hostname};\r\n${results.map((r) => `\t${safe(r)}`).join(';\r\n')}\r\n`
