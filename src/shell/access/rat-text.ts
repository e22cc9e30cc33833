import { fitsAccess } from '../../config/sections/listeners.ts'
import type { RecipientEntry } from '../../config/sections/listeners.ts'
import { asciiMailbox } from '../../core/domain-name.ts'
import { isHostname } from '../../core/schema.ts'
import { emailAddress } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'
import { fail, ok } from '../../core/result.ts'
import type { LineError } from './hat-text.ts'

/* The Recipient Access Table as text: what PRINT shows, EXPORT writes and IMPORT reads. */

const isRecipient = (entry: string): boolean => {
  if (entry === 'all') return true
  if (entry.endsWith('@')) return /^[^\s@<>()[\],;:"\\]+@$/.test(entry)
  const domain = entry.slice(entry.lastIndexOf('@') + 1)
  if (/^\[[0-9a-f:.]+\]$/.test(domain)) return true
  return entry.includes('@') ? emailAddress.parse(entry).ok : isHostname(entry.replace(/^\./, ''))
}

/** `example.com`, `.example.com`, `postmaster@`, `joe@example.com`, `[1.2.3.4]`; a domain in other letters becomes A-labels. */
export const recipientAddress: Field<string> = {
  parse: (text) => {
    const entry = asciiMailbox(text.trim().toLowerCase()) ?? ''
    return entry !== '' && entry.length <= 320 && isRecipient(entry)
      ? ok(entry === 'all' ? 'ALL' : entry)
      : fail(
          'The value must be a domain, a partial domain, a user or an email address. (Ex: example.com, .example.com, postmaster@, joe@example.com)',
        )
  },
  format: (entry) => entry,
}

/** Why an entry cannot be answered with its code; null = it can. */
export const codeProblem = ({ access, replyCode }: Pick<RecipientEntry, 'access' | 'replyCode'>): string | null => {
  if (replyCode === null || fitsAccess(access, replyCode)) return null
  return access === 'accept'
    ? 'A recipient that is accepted is answered with a code from 250 to 259.'
    : 'A recipient that is rejected is answered with a code from 400 to 599.'
}

const reply = (e: RecipientEntry): string =>
  e.replyCode === null ? '' : ` ${e.replyCode}${e.replyText === null ? '' : ` "${e.replyText}"`}`

/** The address stands in the first column, the access in the second. */
export const printRecipientAccess = (entries: readonly RecipientEntry[]): readonly string[] => [
  ...entries.map(
    (e) =>
      `${e.address.padEnd(30)} ${e.access.toUpperCase()}${e.bypassLimits ? ' BYPASS' : ''}${e.bypassValidation ? ' BYPASS_CA' : ''}${reply(e)}`,
  ),
  ...(entries.some((e) => e.address === 'ALL') ? [] : [`${'ALL'.padEnd(30)} REJECT`]),
]

const LINE =
  /^(\S+)\s+(ACCEPT|REJECT)(\s+BYPASS)?(\s+BYPASS_CA)?(?:\s+([2-5]\d\d)(?:\s+"([^"\u0000-\u001f\u007f]{1,255})")?)?$/i

/** Reads a table; every finding has its line, and one finding refuses the whole. */
export const readRecipientAccess = (
  text: string,
):
  | { readonly ok: true; readonly entries: readonly RecipientEntry[] }
  | { readonly ok: false; readonly errors: readonly LineError[] } => {
  const entries: RecipientEntry[] = []
  const errors: LineError[] = []
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return
    const [all, address = '', access = '', bypass, unchecked, code, words] = LINE.exec(line) ?? []
    const parsed = recipientAddress.parse(address)
    const mismatch = codeProblem({
      access: access.toLowerCase() === 'accept' ? 'accept' : 'reject',
      replyCode: code === undefined ? null : Number(code),
    })
    if (all === undefined)
      errors.push({
        line: i + 1,
        message: 'The line must be ADDRESS ACCEPT|REJECT [BYPASS] [BYPASS_CA] [CODE "TEXT"].',
      })
    else if (!parsed.ok) errors.push({ line: i + 1, message: parsed.error })
    else if (mismatch !== null) errors.push({ line: i + 1, message: mismatch })
    else if (entries.some((e) => e.address === parsed.value))
      errors.push({ line: i + 1, message: `${parsed.value} stands twice in the table.` })
    else
      entries.push({
        address: parsed.value,
        access: access.toLowerCase() === 'accept' ? 'accept' : 'reject',
        bypassLimits: bypass !== undefined,
        bypassValidation: unchecked !== undefined,
        replyCode: code === undefined ? null : Number(code),
        replyText: words ?? null,
      })
  })
  if (errors.length > 0) return { ok: false, errors }
  // The end of every table, which needs no entry of its own.
  const last = entries.at(-1)
  const plain = last?.address === 'ALL' && last.access === 'reject' && last.replyCode === null && !last.bypassLimits
  return { ok: true, entries: plain ? entries.slice(0, -1) : entries }
}
