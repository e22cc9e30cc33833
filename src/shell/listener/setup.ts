import { isAddressEntry } from '../../config/host-entries.ts'
import { addressLists } from '../../config/sections/address-lists.ts'
import { callAhead } from '../../config/sections/call-ahead.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { UserError } from '../../core/errors.ts'
import { fail, ok } from '../../core/result.ts'
import { integer, list, oneOf, yesNo } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'
import { printableCut } from '../../core/text.ts'
import { hostEntry } from '../access/hat-edit.ts'
import type { Session } from '../command.ts'
import { changeListener, findListener } from '../listeners.ts'
import { misused, readForm, readValue } from '../options.ts'

/* `listenerconfig > EDIT > SETUP` and `LIMITS`, and their batch forms. */

export const LIMITS_USAGE = 'listenerconfig edit NAME limits --concurrency=N'
export const SETUP_USAGE =
  'listenerconfig edit NAME setup [--bare_newlines=reject|convert] [--implicit_tls=yes|no] [--proxy=ADDRESS[,ADDRESS...]|none] [--validation=off|mailboxes|list|callahead] [--list=NAME] [--profile=NAME]'

const concurrency = integer(1, 100_000)
const NEWLINES = ['reject', 'convert'] as const
const VALIDATIONS = ['off', 'mailboxes', 'list', 'callahead'] as const

export const askLimits = async ({ ask }: Session, l: Listener): Promise<Partial<Listener>> => ({
  maxConcurrency: await ask.field('Max concurrent connections:', concurrency, l.maxConcurrency),
})

export const limitsForm = (session: Session, name: string, args: readonly string[]): void => {
  const { options } = readForm(LIMITS_USAGE, args, { min: 0, max: 0, values: ['concurrency'] })
  if (options['concurrency'] === undefined) throw misused('A value is missing.', LIMITS_USAGE)
  changeListener(session, findListener(session, name), {
    maxConcurrency: readValue(concurrency, options['concurrency']),
  })
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

const IMPLICIT_TLS =
  'Shall TLS begin with the connection (SMTPS, usually port 465) rather than with the STARTTLS command?'

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

export const askSetup = async (session: Session, l: Listener): Promise<Partial<Listener>> => {
  const bareNewlines = await session.ask.pick(
    'What shall be done with messages that have bare CR or LF characters?',
    NEWLINES,
    (n) => ({ reject: 'Reject the message', convert: 'Convert them to CRLF' })[n],
    NEWLINES.indexOf(l.bareNewlines),
  )
  const implicitTls = await session.ask.confirm(IMPLICIT_TLS, l.implicitTls)
  const proxyAddresses = await session.ask.field(PROXY_QUESTION, proxies, l.proxyAddresses)
  return {
    bareNewlines,
    implicitTls,
    proxyAddresses: [...proxyAddresses],
    ...(l.type === 'public' ? await validation(session, l) : {}),
  }
}

/** A named thing that the validation needs. @throws UserError when there is none of that name. */
const named = (what: string, option: string, known: readonly { readonly name: string }[], name: string): string => {
  if (known.some((k) => k.name === name)) return name
  throw new UserError(
    name === '' ? `Name the ${what} with --${option}=NAME.` : `There is no ${what} '${printableCut(name, 64)}'.`,
  )
}

const validationOptions = (
  { draft }: Session,
  l: Listener,
  options: Readonly<Record<string, string | undefined>>,
): Partial<Listener> => {
  const { validation: how, list: chosen, profile } = options
  if (how === undefined && chosen === undefined && profile === undefined) return {}
  if (l.type === 'private') throw new UserError('A private listener relays for its hosts and validates no recipients.')
  const recipientValidation = how === undefined ? l.recipientValidation : readValue(oneOf(VALIDATIONS), how)
  return {
    recipientValidation,
    ...(recipientValidation === 'list' || chosen !== undefined
      ? { recipientList: named('address list', 'list', draft.get(addressLists), chosen ?? l.recipientList) }
      : {}),
    ...(recipientValidation === 'callahead' || profile !== undefined
      ? {
          callAheadProfile: named('call-ahead profile', 'profile', draft.get(callAhead), profile ?? l.callAheadProfile),
        }
      : {}),
  }
}

/** `listenerconfig edit NAME setup …` */
export const setupForm = (session: Session, name: string, args: readonly string[]): void => {
  const values = ['bare_newlines', 'implicit_tls', 'proxy', 'validation', 'list', 'profile']
  const { options } = readForm(SETUP_USAGE, args, { min: 0, max: 0, values })
  if (Object.keys(options).length === 0) throw misused('A value is missing.', SETUP_USAGE)
  const l = findListener(session, name)
  const { bare_newlines: newlines, implicit_tls: implicit, proxy } = options
  changeListener(session, l, {
    ...(newlines === undefined ? {} : { bareNewlines: readValue(oneOf(NEWLINES), newlines) }),
    ...(implicit === undefined ? {} : { implicitTls: readValue(yesNo, implicit) }),
    ...(proxy === undefined ? {} : { proxyAddresses: [...readValue(proxies, proxy)] }),
    ...validationOptions(session, l, options),
  })
}
