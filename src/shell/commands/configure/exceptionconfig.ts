import { senderExceptions } from '../../../config/sections/sender-exceptions.ts'
import type { SenderException } from '../../../config/sections/sender-exceptions.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, isHostname, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm, readValue, wordForm } from '../../options.ts'

const all = ({ draft }: Session): readonly SenderException[] => draft.get(senderExceptions)
const store = (session: Session, next: readonly SenderException[]): void =>
  session.draft.set(senderExceptions, [...next])

const isSender = (entry: string): boolean => {
  if (/^[^\s@<>()[\],;:"\\]+@$/.test(entry)) return true
  const [, local, domain = ''] = /^(?:([^\s@<>()[\],;:"\\]*)@)?(.+)$/.exec(entry) ?? []
  if (/^\[[0-9a-f:.]+\]$/.test(domain)) return local !== undefined
  return isHostname(local === undefined ? domain.replace(/^\./, '') : domain)
}

const address: Field<string> = {
  parse: (typed) => {
    const entry = typed.trim().toLowerCase()
    return entry.length <= 320 && isSender(entry)
      ? ok(entry)
      : fail('The value must be one of: example.com, .example.com, user@, user@example.com, @[192.0.2.1].')
  },
  format: (entry) => entry,
}
const code = integer(400, 599)
const words: Field<string> = {
  parse: (typed) =>
    /^[^\u0000-\u001f\u007f"]{0,255}$/.test(typed.trim())
      ? ok(typed.trim())
      : fail('The text must have at most 255 characters and no quotes.'),
  format: (t) => t,
}

const put = (session: Session, entry: SenderException): void => {
  const known = all(session).some((e) => e.address === entry.address)
  store(session, known ? all(session).map((e) => (e.address === entry.address ? entry : e)) : [...all(session), entry])
}

const remove = (session: Session, typed: string): void => {
  const entry = typed.trim().toLowerCase()
  if (!all(session).some((e) => e.address === entry))
    throw new UserError(`The exception table has no entry '${printableCut(typed, 80)}'.`)
  store(
    session,
    all(session).filter((e) => e.address !== entry),
  )
}

const table = (session: Session): readonly string[] =>
  all(session).length === 0
    ? ['There are no exceptions configured.']
    : all(session).map(({ address: a, action, code: n, text: t }) =>
        action === 'allow' ? `${a.padEnd(30)} Allow` : `${a.padEnd(30)} Reject ${n}${t === '' ? '' : ` "${t}"`}`,
      )

const ADDRESS = `Enter a domain, partial domain, user or email address for which you wish to provide an exception:
Domains such as "example.com", partial domains such as ".example.com", users such as "user@" and addresses such as
"user@example.com" or "@[192.0.2.1]" are allowed.`
const ACTIONS = ['allow', 'reject'] as const

const askEntry = async ({ ask }: Session, old?: SenderException): Promise<SenderException> => {
  const entry = old?.address ?? (await ask.field(ADDRESS, address))
  const label = { allow: 'Allow', reject: 'Reject' } as const
  const at = old?.action === 'reject' ? 1 : 0
  const action = await ask.pick('Choose a policy for this domain exception:', ACTIONS, (a) => label[a], at)
  if (action === 'allow') return { address: entry, action, code: 553, text: '' }
  return {
    address: entry,
    action,
    code: await ask.field('Enter the SMTP code to use in the response:', code, old?.code ?? 553),
    text: (await ask.optional('Enter the text of the response (empty for the usual words):', words)) ?? '',
  }
}

const USAGE = {
  new: 'exceptionconfig new ADDRESS allow|reject [--resp_code=N] [--resp_text=TEXT]',
  delete: 'exceptionconfig delete ADDRESS',
  print: 'exceptionconfig print',
} as const

export default defineCommand({
  name: 'exceptionconfig',
  summary: 'Configure the exception table of sender verification',
  description:
    'Lists envelope senders that are let in or refused whatever DNS says of their domain. It counts where a mail-flow policy has the exception table on (listenerconfig, HOSTACCESS, exception_table). Of several entries that fit, the one that says most decides.',
  options: {
    '--resp_code=N': 'SMTP code of a refusal; 553 when it is not said.',
    '--resp_text=TEXT': 'Text of a refusal.',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { ask, print } = session
    for (;;) {
      const n = all(session).length
      print(n === 1 ? 'There is currently 1 exception configured.' : `There are currently ${n} exceptions configured.`)
      const rest = { EDIT: 'Modify an entry.', DELETE: 'Remove an entry.', PRINT: 'Display the table.' } as const
      const operation = await ask.choose({ NEW: 'Create a new entry.', ...(n > 0 ? rest : {}) })
      if (operation === null) return
      if (operation === 'NEW') put(session, await askEntry(session))
      else if (operation === 'PRINT') print(...table(session), '')
      else {
        const entry = await ask.pick('Choose the entry:', all(session), (e) => e.address)
        if (operation === 'DELETE') remove(session, entry.address)
        else put(session, await askEntry(session, entry))
      }
    }
  },
  forms: [
    {
      usage: USAGE.new,
      words: ['new'],
      run: async (session, args) => {
        const values = ['resp_code', 'resp_text']
        const { words: given, options } = readForm(USAGE.new, args, { min: 2, max: 2, values })
        const [entry = '', action = ''] = given
        put(session, {
          address: readValue(address, entry),
          action: readValue(oneOf(ACTIONS), action),
          code: options['resp_code'] === undefined ? 553 : readValue(code, options['resp_code']),
          text: options['resp_text'] === undefined ? '' : readValue(words, options['resp_text']),
        })
      },
    },
    wordForm(USAGE.delete, ['delete'], 1, (session, [entry = '']) => remove(session, entry)),
    wordForm(USAGE.print, ['print'], 0, (session) => session.page(table(session))),
  ],
})
