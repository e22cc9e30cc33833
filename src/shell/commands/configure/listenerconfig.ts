import { interfaces } from '../../../config/sections/interfaces.ts'
import type { Listener } from '../../../config/sections/listeners.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { hostAccessDialogue } from '../../access/hat-dialogue.ts'
import { addHosts, findGroup, hostEntry } from '../../access/hat-edit.ts'
import { HOSTACCESS_USAGE, hostAccessForm } from '../../access/hat-form.ts'
import {
  RCPTACCESS_USAGE,
  RECIPIENT_QUESTION,
  acceptRecipients,
  recipientAccessDialogue,
  recipientAccessForm,
} from '../../access/rat.ts'
import { recipientAddress } from '../../access/rat-text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { listenerDetail, listenerLine } from '../../format/listener.ts'
import {
  addListener,
  allListeners,
  changeListener,
  findListener,
  listenerName,
  removeListener,
} from '../../listeners.ts'
import { CERTIFICATE_USAGE, askCertificate, certificateForm } from '../../listener/certificate.ts'
import { INTERFACE_USAGE, UNNAMED, askPlace, interfaceForm, placeOf, port } from '../../listener/interface.ts'
import { RECEIVING_USAGE, askReceiving, receivingForm } from '../../listener/receiving.ts'
import { LIMITS_USAGE, SETUP_USAGE, askLimits, askSetup, limitsForm, setupForm } from '../../listener/setup.ts'
import { readForm, readValue } from '../../options.ts'

const TYPES = ['public', 'private'] as const
const NAME_USAGE = 'listenerconfig edit NAME name NEW_NAME'
const USAGE = {
  new: 'listenerconfig new NAME public|private INTERFACE|ADDRESS PORT [--interface=NAME]',
  delete: 'listenerconfig delete NAME',
  print: 'listenerconfig print',
  setup: RECEIVING_USAGE,
  edit: [HOSTACCESS_USAGE, RCPTACCESS_USAGE, CERTIFICATE_USAGE, NAME_USAGE, INTERFACE_USAGE, LIMITS_USAGE, SETUP_USAGE],
} as const

const overview = (session: Session): readonly string[] => {
  const all = allListeners(session)
  if (all.length === 0) return ['No listeners are configured.']
  return [
    'Currently configured listeners:',
    ...all.map((l, i) => `${i + 1}. ${listenerLine(l, session.draft.get(interfaces))}`),
  ]
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
  const nameQuestion = 'Enter the name of the IP interface for this listener.'
  const [first] = session.draft.get(interfaces).interfaces
  const now = { interfaceName: first?.name ?? UNNAMED, address: null }
  const place = await askPlace(session, now, nameQuestion)
  const number = await ask.field('Enter the TCP port for this listener.', port, 25)
  const made = addListener(session, { name, type, ...place, port: number })
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

/** @throws UserError when another listener has that name. Answers the name. */
const rename = (session: Session, l: Listener, next: string): string => {
  if (next !== l.name && allListeners(session).some((o) => o.name === next))
    throw new UserError(`There is a listener '${next}' already.`)
  return changeListener(session, l, { name: next }).name
}

const edit = async (session: Session, chosen: Listener): Promise<void> => {
  const { ask, print } = session
  let { name } = chosen
  for (;;) {
    const l = findListener(session, name)
    print(...listenerDetail(l, session.draft.get(interfaces)))
    const operation = await ask.choose(OPERATIONS)
    if (operation === null) return
    if (operation === 'NAME') {
      name = rename(session, l, await ask.field('Enter the new name of the listener.', listenerName, l.name))
    } else if (operation === 'INTERFACE') {
      const place = await askPlace(session, l, 'Enter the name of the IP interface.')
      changeListener(session, l, { ...place, port: await ask.field('Enter the TCP port.', port, l.port) })
    } else if (operation === 'LIMITS') changeListener(session, l, await askLimits(session, l))
    else if (operation === 'CERTIFICATE') changeListener(session, l, await askCertificate(session, l))
    else if (operation === 'SETUP') changeListener(session, l, await askSetup(session, l))
    else if (operation === 'HOSTACCESS') await hostAccessDialogue(session, name)
    else await recipientAccessDialogue(session, name)
  }
}

/** The words behind `listenerconfig edit NAME`. */
const EDITS = {
  rcptaccess: recipientAccessForm,
  hostaccess: hostAccessForm,
  certificate: certificateForm,
  name: (session: Session, name: string, args: readonly string[]): void => {
    const [next = ''] = readForm(NAME_USAGE, args, { min: 1, max: 1 }).words
    rename(session, findListener(session, name), readValue(listenerName, next))
  },
  interface: interfaceForm,
  limits: limitsForm,
  setup: setupForm,
} as const

/** `listenerconfig edit NAME RCPTACCESS PRINT`: words in any case, as scripts write them. */
const editForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const [name = '', what = '', ...rest] = args
  const { name: known } = findListener(session, name)
  const word = readValue(oneOf(Object.keys(EDITS) as (keyof typeof EDITS)[]), what)
  await EDITS[word](session, known, rest)
}

const newForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const { words, options } = readForm(USAGE.new, args, { min: 4, max: 4, values: ['interface'] })
  const [name = '', type = '', where = '', number = ''] = words
  addListener(session, {
    name: readValue(listenerName, name),
    type: readValue(oneOf(TYPES), type),
    ...placeOf(session, where, readValue(listenerName, options['interface'] ?? UNNAMED)),
    port: readValue(port, number),
  })
}

export default defineCommand({
  name: 'listenerconfig',
  summary: 'Configure mail listeners',
  description:
    'Creates, changes and removes the addresses and ports on which mail comes in, whose recipients they accept and for which hosts they relay. Running listeners follow the commit; open connections go on.',
  options: {
    '--interface=NAME': 'the name of an address in the logs, where the listener is on no interface',
    '--action=accept|reject': 'what becomes of the recipient',
    '--resp_code=N': 'the code of the answer',
    '--resp_text=TEXT': 'the text of the answer',
    '--bypass_rc=yes|no': 'whether the recipient limit is passed over',
    '--bypass_ca=yes|no': 'whether recipient validation is passed over',
    '--concurrency=N': 'connections at the same time, of a listener or of all',
    '--bare_newlines=reject|convert': 'what becomes of messages with bare CR or LF',
    '--implicit_tls=yes|no': 'whether TLS begins with the connection (port 465), not with STARTTLS',
    '--proxy=ADDRESS[,ADDRESS...]|none': 'balancers that send a PROXY protocol header',
    '--validation=off|mailboxes|list|callahead': 'how accepted recipients are validated',
    '--list=NAME': 'the address list to validate against',
    '--profile=NAME': 'the call-ahead profile to validate with',
    '--headers=N': 'header lines of a message',
    '--counters_reset=N': 'seconds after which limits per hour start again',
    '--timeout=N': 'seconds after which a silent connection is closed',
    '--tls_concurrency=N': 'TLS connections at the same time',
    '--total_time=N': 'seconds after which any connection is closed',
    '--line_length=N': 'bytes of the longest line of a message',
    '--add_message_id=yes|no': 'whether a message without a Message-ID gets one',
    '--delayed_reject=yes|no': 'whether a refused client may talk, so that its recipients are logged',
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
      else if (operation === 'SETUP') await askReceiving(session)
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
    { usage: USAGE.edit.join('\n'), words: ['edit'], run: editForm },
    {
      usage: USAGE.setup,
      words: ['setup'],
      run: async (session, args) => {
        await Promise.resolve()
        receivingForm(session, args)
      },
    },
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
