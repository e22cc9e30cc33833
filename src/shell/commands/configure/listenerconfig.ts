import { isAddressEntry } from '../../../config/host-entries.ts'
import { addressLists } from '../../../config/sections/address-lists.ts'
import { callAhead } from '../../../config/sections/call-ahead.ts'
import { certificates } from '../../../config/sections/certificates.ts'
import type { Listener } from '../../../config/sections/listeners.ts'
import { receiving } from '../../../config/sections/receiving.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { hostAccessDialogue } from '../../access/hat-dialogue.ts'
import { addHosts, findGroup, hostEntry } from '../../access/hat-edit.ts'
import { HOSTACCESS_USAGE, hostAccessForm, read } from '../../access/hat-form.ts'
import {
  RCPTACCESS_USAGE,
  RECIPIENT_QUESTION,
  acceptRecipients,
  recipientAccessDialogue,
  recipientAccessForm,
} from '../../access/rat.ts'
import { recipientAddress } from '../../access/rat-text.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { listenerDetail, listenerLine } from '../../format/listener.ts'
import {
  addListener,
  allListeners,
  changeListener,
  findListener,
  ipAddress,
  listenerName,
  removeListener,
} from '../../listeners.ts'
import { readForm } from '../../options.ts'

const port = integer(0, 65_535)
const TYPES = ['public', 'private'] as const
const INTERFACE = 'Data 1'
const CERTIFICATE_USAGE = 'listenerconfig edit NAME certificate PROFILE[,PROFILE...]|none'
const USAGE = {
  new: 'listenerconfig new NAME public|private ADDRESS PORT [--interface=NAME]',
  delete: 'listenerconfig delete NAME',
  print: 'listenerconfig print',
  edit: `${HOSTACCESS_USAGE}\n${RCPTACCESS_USAGE}\n${CERTIFICATE_USAGE}`,
} as const

const overview = (session: Session): readonly string[] => {
  const all = allListeners(session)
  if (all.length === 0) return ['No listeners are configured.']
  return ['Currently configured listeners:', ...all.map((l, i) => `${i + 1}. ${listenerLine(l)}`)]
}

/** A name or a number of the list. */
const existing = (session: Session): Field<Listener> => ({
  parse: (text) => {
    try {
      return ok(findListener(session, text.trim()))
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  },
  format: (l) => l.name,
})

const create = async (session: Session): Promise<void> => {
  const { ask } = session
  const type = await ask.pick('Please select the type of listener you want to create.', TYPES, (t) => LABELS[t], 0)
  const name = await ask.field('Please create a name for this listener (Ex: "InboundMail"):', listenerName)
  const interfaceName = await ask.field(
    'Enter the name of the IP interface for this listener.',
    listenerName,
    INTERFACE,
  )
  const address = await ask.field('Enter the IP address on which it listens.', ipAddress, '127.0.0.1')
  const number = await ask.field('Enter the TCP port for this listener.', port, 25)
  const made = addListener(session, { name, type, interfaceName, address, port: number })
  if (type === 'public') acceptRecipients(session, made, await ask.field(RECIPIENT_QUESTION, list(recipientAddress)))
  else {
    const hosts = await ask.field(RELAY_QUESTION, list(hostEntry))
    changeListener(session, made, {
      hostAccess: addHosts(made.hostAccess, findGroup(made.hostAccess, 'RELAYLIST'), hosts),
    })
  }
  session.print(`Listener ${name} created.`, '')
}

const RELAY_QUESTION = `Enter the hosts whose mail is relayed.
CIDR addresses such as 10.1.1.0/24 are allowed. Separate multiple hosts with commas.`

const LABELS = {
  public: 'Public: accepts mail for your domains',
  private: 'Private: relays the mail of your hosts',
} as const

const OPERATIONS = {
  NAME: 'Change the name of the listener.',
  INTERFACE: 'Change the interface.',
  CERTIFICATE: 'Choose the certificate.',
  LIMITS: 'Change the injection limits.',
  SETUP: 'Configure general options.',
  HOSTACCESS: 'Modify the Host Access Table.',
  RCPTACCESS: 'Modify the Recipient Access Table.',
} as const

const limits = async ({ ask }: Session, l: Listener): Promise<Partial<Listener>> => ({
  maxConcurrency: await ask.field('Max concurrent connections:', integer(1, 100_000), l.maxConcurrency),
})

const certificate = async ({ ask, draft }: Session, l: Listener): Promise<Partial<Listener>> => {
  const names = draft.get(certificates).profiles.map((p) => p.name)
  if (names.length === 0) throw new UserError('There are no certificate profiles. Make one with certconfig.')
  const own = "The appliance's own"
  const all = [own, ...names]
  const question = `Choose the certificates. The first answers, unless a client asks for a host of another one.
Separate multiple choices with commas.`
  const initial = l.certificates.length === 0 ? [0] : l.certificates.map((c) => all.indexOf(c)).filter((i) => i > 0)
  const chosen = await ask.pickMany(question, all, (n) => n, initial)
  return { certificates: chosen.filter((n) => n !== own) }
}

/** `listenerconfig edit NAME certificate PROFILE[,PROFILE...]|none` */
const certificateForm = (session: Session, name: string, args: readonly string[]): void => {
  const [list = ''] = readForm(CERTIFICATE_USAGE, args, { min: 1, max: 1 }).words
  const names = list.toLowerCase() === 'none' ? [] : list.split(',').map((n) => n.trim())
  const known = session.draft.get(certificates).profiles
  const missing = names.find((n) => !known.some((p) => p.name === n))
  if (missing !== undefined) throw new UserError(`There is no certificate profile '${printableCut(missing, 64)}'.`)
  changeListener(session, findListener(session, name), { certificates: [...new Set(names)] })
}

const VALIDATION_LABELS = {
  off: 'No',
  mailboxes: 'Against the mailboxes of this appliance',
  list: 'Against an address list',
  callahead: 'By asking the next hop (SMTP call-ahead)',
} as const

const validation = async ({ ask, draft }: Session, l: Listener): Promise<Partial<Listener>> => {
  const names = draft.get(addressLists).map((a) => a.name)
  const profiles = draft.get(callAhead).map((p) => p.name)
  const question = 'Do you want to validate the recipients that the Recipient Access Table accepts?'
  const choices: readonly Listener['recipientValidation'][] = [
    'off',
    'mailboxes',
    ...(names.length > 0 ? (['list'] as const) : []),
    ...(profiles.length > 0 ? (['callahead'] as const) : []),
  ]
  const at = Math.max(0, choices.indexOf(l.recipientValidation))
  const recipientValidation = await ask.pick(question, choices, (v) => VALIDATION_LABELS[v], at)
  if (recipientValidation === 'callahead') {
    const at = Math.max(0, profiles.indexOf(l.callAheadProfile))
    return {
      recipientValidation,
      callAheadProfile: await ask.pick('Choose the call-ahead profile.', profiles, (n) => n, at),
    }
  }
  if (recipientValidation !== 'list') return { recipientValidation }
  const known = names.indexOf(l.recipientList)
  const recipientList = await ask.pick('Choose the address list.', names, (n) => n, known < 0 ? undefined : known)
  return { recipientValidation, recipientList }
}

const PROXY_QUESTION = `Enter the addresses of load balancers that send a PROXY protocol header, separated by commas.
Connections from there must begin with the header. "none" means that there are none.`

const addresses = list<string>({
  parse: (text) => {
    const entry = hostEntry.parse(text)
    return isAddressEntry(text)
      ? entry
      : fail('The value must be an IP address or a CIDR block. (Ex: 10.1.1.1, 10.1.1.0/24)')
  },
  format: (text) => text,
})
const proxies: Field<readonly string[]> = {
  parse: (text) => (text.trim().toLowerCase() === 'none' ? ok([]) : addresses.parse(text)),
  format: (all) => (all.length === 0 ? 'none' : all.join(', ')),
}

const setup = async (session: Session, l: Listener): Promise<Partial<Listener>> => {
  const newlines = ['reject', 'convert'] as const
  const bareNewlines = await session.ask.pick(
    'What shall be done with messages that have bare CR or LF characters?',
    newlines,
    (n) => ({ reject: 'Reject the message', convert: 'Convert them to CRLF' })[n],
    newlines.indexOf(l.bareNewlines),
  )
  const proxyAddresses = await session.ask.field(PROXY_QUESTION, proxies, l.proxyAddresses)
  return {
    bareNewlines,
    proxyAddresses: [...proxyAddresses],
    ...(l.type === 'public' ? await validation(session, l) : {}),
  }
}

/** What counts for all listeners together. */
const globalSetup = async ({ ask, draft }: Session): Promise<void> => {
  const now = draft.get(receiving)
  draft.set(receiving, {
    maxConcurrency: await ask.field(
      'Enter the maximum number of concurrent connections across all listeners.',
      integer(1, 100_000),
      now.maxConcurrency,
    ),
    maxHeaderFields: await ask.field(
      'Enter the maximum number of header lines of a message.',
      integer(10, 10_000),
      now.maxHeaderFields,
    ),
    countersResetSeconds: await ask.field(
      'Enter the number of seconds after which the injection control counters are reset.',
      integer(60, 86_400),
      now.countersResetSeconds,
    ),
    timeoutSeconds: await ask.field(
      'Enter the number of seconds after which a silent connection is closed.',
      integer(10, 3600),
      now.timeoutSeconds,
    ),
    maxTlsConcurrency: await ask.field(
      'Enter the maximum number of concurrent TLS connections across all listeners.',
      integer(1, 100_000),
      now.maxTlsConcurrency,
    ),
    totalSeconds: await ask.field(
      'Enter the number of seconds after which any connection is closed.',
      integer(60, 86_400),
      now.totalSeconds,
    ),
    maxLineBytes: await ask.field(
      'Enter the maximum length of a line of a message in bytes.',
      integer(998, 16_777_216),
      now.maxLineBytes,
    ),
    addMessageId: await ask.confirm(
      'Would you like to add a Message-ID header to messages without one?',
      now.addMessageId,
    ),
    rejectAtRecipient: await ask.confirm(DELAYED_REJECT, now.rejectAtRecipient),
  })
}

const DELAYED_REJECT = `By default connections with a HAT REJECT policy are closed with a message at the start of the SMTP conversation.
Would you like to reject at the recipient level instead, for more detailed logging of rejected mail?`

const edit = async (session: Session, chosen: Listener): Promise<void> => {
  const { ask, print } = session
  let { name } = chosen
  for (;;) {
    const l = findListener(session, name)
    print(...listenerDetail(l))
    const operation = await ask.choose(OPERATIONS)
    if (operation === null) return
    if (operation === 'NAME') {
      const next = await ask.field('Enter the new name of the listener.', listenerName, l.name)
      if (next !== l.name && allListeners(session).some((o) => o.name === next))
        throw new UserError(`There is a listener '${next}' already.`)
      name = changeListener(session, l, { name: next }).name
    } else if (operation === 'INTERFACE') {
      const interfaceName = await ask.field('Enter the name of the IP interface.', listenerName, l.interfaceName)
      const address = await ask.field('Enter the IP address on which it listens.', ipAddress, l.address)
      changeListener(session, l, { interfaceName, address, port: await ask.field('Enter the TCP port.', port, l.port) })
    } else if (operation === 'LIMITS') changeListener(session, l, await limits(session, l))
    else if (operation === 'CERTIFICATE') changeListener(session, l, await certificate(session, l))
    else if (operation === 'SETUP') changeListener(session, l, await setup(session, l))
    else if (operation === 'HOSTACCESS') await hostAccessDialogue(session, name)
    else await recipientAccessDialogue(session, name)
  }
}

/** `listenerconfig edit NAME RCPTACCESS PRINT`: words in any case, as scripts write them. */
const editForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const [name = '', what = '', ...rest] = args
  const { name: known } = findListener(session, name)
  const table = read(oneOf(['rcptaccess', 'hostaccess', 'certificate'] as const), what)
  if (table === 'certificate') return certificateForm(session, known, rest)
  await (table === 'rcptaccess' ? recipientAccessForm : hostAccessForm)(session, known, rest)
}

const newForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const { words, options } = readForm(USAGE.new, args, { min: 4, max: 4, values: ['interface'] })
  const [name = '', type = '', address = '', number = ''] = words
  addListener(session, {
    name: read(listenerName, name),
    type: read(oneOf(TYPES), type),
    interfaceName: read(listenerName, options['interface'] ?? INTERFACE),
    address: read(ipAddress, address),
    port: read(port, number),
  })
}

export default defineCommand({
  name: 'listenerconfig',
  summary: 'Configure mail listeners',
  description:
    'Creates, changes and removes the addresses and ports on which mail comes in, whose recipients they accept and for which hosts they relay. Running listeners follow the commit; open connections go on.',
  options: {
    '--interface=NAME': 'the name of the interface in the logs',
    '--action=accept|reject': 'what becomes of the recipient',
    '--resp_code=N': 'the code of the answer',
    '--resp_text=TEXT': 'the text of the answer',
    '--bypass_rc=yes|no': 'whether the recipient limit is passed over',
    '--bypass_ca=yes|no': 'whether recipient validation is passed over',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...overview(session))
      const rest = { EDIT: 'Modify a listener.', DELETE: 'Remove a listener.' } as const
      const some = allListeners(session).length > 0
      const operation = await session.ask.choose({
        NEW: 'Create a new listener.',
        ...(some ? rest : {}),
        SETUP: 'Change global settings.',
      })
      if (operation === null) return
      if (operation === 'NEW') await create(session)
      else if (operation === 'SETUP') await globalSetup(session)
      else {
        const verb = operation === 'EDIT' ? 'edit' : 'delete'
        const question = `Enter the name or number of the listener you wish to ${verb}.`
        const listener = await session.ask.field(question, existing(session))
        if (operation === 'EDIT') await edit(session, listener)
        else removeListener(session, listener)
      }
    }
  },
  forms: [
    { usage: USAGE.new, words: ['new'], run: newForm },
    { usage: USAGE.edit, words: ['edit'], run: editForm },
    {
      usage: USAGE.delete,
      words: ['delete'],
      run: async (session, args) => {
        const [name = ''] = readForm(USAGE.delete, args, { min: 1, max: 1 }).words
        removeListener(session, findListener(session, name))
      },
    },
    {
      usage: USAGE.print,
      words: ['print'],
      run: async (session, args) => {
        readForm(USAGE.print, args, { min: 0, max: 0 })
        await session.page(overview(session))
      },
    },
  ],
})
