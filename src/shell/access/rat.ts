import { readConfigurationFile } from '../../config/files.ts'
import { acceptEntry, fitsAccess } from '../../config/sections/listeners.ts'
import type { Listener, RecipientEntry } from '../../config/sections/listeners.ts'
import { asciiMailbox } from '../../core/domain-name.ts'
import { UserError } from '../../core/errors.ts'
import { fail, ok } from '../../core/result.ts'
import { integer, list, oneOf, text, yesNo } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'
import { printableCut } from '../../core/text.ts'
import type { Session } from '../command.ts'
import { changeListener, findListener } from '../listeners.ts'
import { misused, readForm, readValue } from '../options.ts'
import { refuseImport } from './hat-form.ts'
import { codeProblem, printRecipientAccess, readRecipientAccess, recipientAddress } from './rat-text.ts'
import { writeExport } from '../files.ts'

export const RCPTACCESS_USAGE =
  'listenerconfig edit NAME rcptaccess new|edit ADDRESS[,ADDRESS...] [--action=accept|reject] [--resp_code=N] [--resp_text=TEXT] [--bypass_rc=yes|no] [--bypass_ca=yes|no] | delete ADDRESS[,ADDRESS...] | print | import FILE | export FILE | clear'

export const RECIPIENT_QUESTION = `Enter the recipient address for this entry.
Hostnames such as "example.com" and "[1.2.3.4]" are allowed.
Partial hostnames such as ".example.com" are allowed.
Usernames such as "postmaster@" are allowed.
Full email addresses such as "joe@example.com" or "joe@[1.2.3.4]" are allowed.
Separate multiple entries with commas.`

const find = (l: Listener, address: string): RecipientEntry => {
  const typed = asciiMailbox(address.trim().toLowerCase())
  const entry = l.recipientAccess.find((e) => e.address.toLowerCase() === typed)
  if (!entry) throw new UserError(`The Recipient Access Table has no entry '${printableCut(address, 80)}'.`)
  return entry
}

/** What an entry is about: a whole address, a user, a domain, all below a domain, everybody. */
const breadth = (address: string): number => {
  if (address === 'ALL') return 4
  if (address.endsWith('@')) return 1
  if (address.includes('@')) return 0
  return address.startsWith('.') ? 3 : 2
}

/** Whether `wide` would take what `narrow` is about: below it, `narrow` would never be asked. */
const hides = (wide: string, narrow: string): boolean => {
  if (breadth(wide) <= breadth(narrow) && !(wide.startsWith('.') && narrow.startsWith('.'))) return false
  if (wide === 'ALL' || breadth(narrow) === 1) return true
  if (wide.endsWith('@')) return narrow.startsWith(wide)
  const domain = narrow.slice(narrow.lastIndexOf('@') + 1)
  return wide.startsWith('.') ? domain !== wide && domain.endsWith(wide) : domain === wide
}

/** The first match decides: what says more stands before what would hide it. */
const placed = (entries: readonly RecipientEntry[], fresh: RecipientEntry): readonly RecipientEntry[] => {
  const at = entries.findIndex((e) => hides(e.address, fresh.address))
  return at < 0 ? [...entries, fresh] : [...entries.slice(0, at), fresh, ...entries.slice(at)]
}

/** Entries that are there already keep their place. */
const put = (session: Session, l: Listener, entries: readonly RecipientEntry[]): void => {
  const added = new Map(entries.map((e) => [e.address, e]))
  const kept = l.recipientAccess.map((e) => added.get(e.address) ?? e)
  const fresh = [...added.values()].filter((e) => !kept.some((k) => k.address === e.address))
  changeListener(session, l, { recipientAccess: [...fresh.reduce(placed, kept)] })
}

/** Accepts the mail of addresses, as `listenerconfig new` asks for them. */
export const acceptRecipients = (session: Session, l: Listener, addresses: readonly string[]): void =>
  put(session, l, addresses.map(acceptEntry))

const remove = (session: Session, l: Listener, addresses: readonly string[]): void => {
  const gone = new Set(addresses.map((a) => find(l, a)))
  changeListener(session, l, { recipientAccess: l.recipientAccess.filter((e) => !gone.has(e)) })
}

const importTable = async (session: Session, l: Listener, file: string): Promise<void> => {
  const result = readRecipientAccess(await readConfigurationFile(session.appliance.home, file))
  if (!result.ok) return refuseImport(session, file, result.errors)
  changeListener(session, l, { recipientAccess: [...result.entries] })
  session.print(`Imported: ${result.entries.length} recipients.`, '')
}

const exportTable = async (session: Session, l: Listener, file: string): Promise<void> => {
  await writeExport(session, file, printRecipientAccess(l.recipientAccess))
  session.print(`The Recipient Access Table was exported to ${file}.`, '')
}

const replyCode = integer(250, 599)
const codeFor = (access: RecipientEntry['access']): Field<number> => ({
  ...replyCode,
  parse: (typed) => {
    const code = replyCode.parse(typed)
    const problem = code.ok ? codeProblem({ access, replyCode: code.value }) : null
    return problem === null ? code : fail(problem)
  },
})
const replyText: Field<string> = {
  parse: (typed) => {
    const t = typed.trim()
    return /^[^\u0000-\u001f\u007f"]{1,255}$/.test(t)
      ? ok(t)
      : fail('The text must have 1 to 255 characters and no quotes.')
  },
  format: (t) => t,
}

type Options = Readonly<Record<string, string | undefined>>

/** @throws UserError */
const changed = (entry: RecipientEntry, o: Options): RecipientEntry => {
  const next = merged(entry, o)
  const problem = codeProblem(next)
  if (problem !== null) throw new UserError(problem)
  return next
}

const merged = (entry: RecipientEntry, o: Options): RecipientEntry => ({
  ...entry,
  ...(o['action'] === undefined ? {} : { access: readValue(oneOf(['accept', 'reject'] as const), o['action']) }),
  ...(o['resp_code'] === undefined ? {} : { replyCode: readValue(replyCode, o['resp_code']) }),
  ...(o['resp_text'] === undefined ? {} : { replyText: readValue(replyText, o['resp_text']) }),
  ...(o['bypass_rc'] === undefined ? {} : { bypassLimits: readValue(yesNo, o['bypass_rc']) }),
  ...(o['bypass_ca'] === undefined ? {} : { bypassValidation: readValue(yesNo, o['bypass_ca']) }),
})

/** What follows `listenerconfig edit NAME rcptaccess`. */
export const recipientAccessForm = async (session: Session, name: string, args: readonly string[]): Promise<void> => {
  const values = ['action', 'resp_code', 'resp_text', 'bypass_rc', 'bypass_ca']
  const { words, options } = readForm(RCPTACCESS_USAGE, args, { min: 1, max: 64, values })
  const [verb = '', ...rest] = words
  const l = findListener(session, name)
  const operation = readValue(oneOf(['new', 'edit', 'delete', 'print', 'import', 'export', 'clear']), verb)
  const takesOne = operation === 'import' || operation === 'export'
  const takesNone = operation === 'print' || operation === 'clear'
  if ((takesNone && rest.length > 0) || (takesOne && rest.length !== 1) || (!takesNone && rest.length === 0))
    throw misused('There are too many or too few words.', RCPTACCESS_USAGE)
  const addresses = rest.flatMap((r) => r.split(',')).filter((r) => r.trim() !== '')
  switch (operation) {
    case 'new':
      return put(
        session,
        l,
        addresses.map((a) => changed(acceptEntry(readValue(recipientAddress, a)), options)),
      )
    case 'edit':
      return put(
        session,
        l,
        addresses.map((a) => changed(find(l, a), options)),
      )
    case 'delete':
      return remove(session, l, addresses)
    case 'print':
      return await session.page(printRecipientAccess(l.recipientAccess))
    case 'import':
      return await importTable(session, l, rest[0] ?? '')
    case 'export':
      return await exportTable(session, l, rest[0] ?? '')
    case 'clear':
      return void changeListener(session, l, { recipientAccess: [] })
  }
}

const askEntry = async ({ ask }: Session, entry: RecipientEntry): Promise<RecipientEntry> => {
  const actions = ['accept', 'reject'] as const
  const access = await ask.pick(
    'Select the action to apply to this address:',
    actions,
    (a) => ({ accept: 'Accept', reject: 'Reject' })[a],
    actions.indexOf(entry.access),
  )
  const custom = await ask.confirm('Would you like to specify a custom SMTP response?', entry.replyCode !== null)
  const initial = access === 'accept' ? 250 : 550
  const known = entry.replyCode !== null && fitsAccess(access, entry.replyCode) ? entry.replyCode : initial
  const code = custom ? await ask.field('Enter the SMTP code to use in the response.', codeFor(access), known) : null
  const words = custom
    ? await ask.field('Enter the text of the response.', replyText, entry.replyText ?? undefined)
    : null
  const bypassLimits = await ask.confirm(
    'Would you like to bypass receiving control for this entry?',
    entry.bypassLimits,
  )
  const bypassValidation = await ask.confirm(
    'Would you like to bypass recipient validation for this entry?',
    entry.bypassValidation,
  )
  return { address: entry.address, access, bypassLimits, bypassValidation, replyCode: code, replyText: words }
}

const OPERATIONS = {
  NEW: 'Create a new entry.',
  EDIT: 'Modify an entry.',
  DELETE: 'Remove an entry.',
  PRINT: 'Display the table.',
  IMPORT: 'Import a table from a file.',
  EXPORT: 'Export the table to a file.',
  CLEAR: 'Remove all entries.',
} as const
const fileName = text({ max: 200 })

/** `listenerconfig > EDIT > RCPTACCESS`. */
export const recipientAccessDialogue = async (session: Session, name: string): Promise<void> => {
  const { ask, print } = session
  for (;;) {
    const l = findListener(session, name)
    const entries = l.recipientAccess
    const many = entries.length !== 1
    print(
      'Recipient Access Table',
      `There ${many ? 'are' : 'is'} currently ${entries.length} recipient${many ? 's' : ''}.`,
      `Default Access: ${entries.find((e) => e.address === 'ALL')?.access.toUpperCase() ?? 'REJECT'}`,
    )
    const { NEW, PRINT, IMPORT, EXPORT } = OPERATIONS
    const operation = await ask.choose(entries.length === 0 ? { NEW, PRINT, IMPORT, EXPORT } : OPERATIONS)
    switch (operation) {
      case null:
        return
      case 'NEW': {
        const addresses = await ask.field(RECIPIENT_QUESTION, list(recipientAddress))
        const model = await askEntry(session, acceptEntry(addresses[0] ?? ''))
        put(
          session,
          l,
          addresses.map((address) => ({ ...model, address })),
        )
        break
      }
      case 'EDIT': {
        const entry = await ask.pick('Choose the entry to edit:', entries, (e) => e.address)
        put(session, l, [await askEntry(session, entry)])
        break
      }
      case 'DELETE': {
        const entry = await ask.pick('Choose the entry to remove:', entries, (e) => e.address)
        remove(session, l, [entry.address])
        break
      }
      case 'PRINT':
        await session.page(printRecipientAccess(entries))
        print('')
        break
      case 'IMPORT':
        await importTable(session, l, await ask.field('Enter the name of the file to import:', fileName))
        break
      case 'EXPORT':
        await exportTable(session, l, await ask.field('Enter a name for the exported file:', fileName))
        break
      case 'CLEAR':
        if (await ask.confirm('Are you sure you want to remove all entries?', false))
          changeListener(session, l, { recipientAccess: [] })
    }
  }
}
