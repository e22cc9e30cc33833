import { UserError } from '../core/errors.ts'
import { fail, ok } from '../core/result.ts'
import { integer, isHostname } from '../core/schema.ts'
import type { Field } from '../core/schema.ts'
import { printableCut } from '../core/text.ts'
import type { QueueOutcome } from '../services/queue-control.ts'
import type { QueueSelection } from '../services/queue-selection.ts'
import type { SpoolEntry } from '../store/spool.ts'
import type { Form, Session } from './command.ts'
import { misused, readValue, wordForm } from './options.ts'

/* Questions, words and answers that the queue commands share. */

export const midField: Field<number> = integer(1, Number.MAX_SAFE_INTEGER)

export const midOf = (word: string): number => {
  const mid = midField.parse(word)
  if (!mid.ok) throw new UserError(`'${printableCut(word, 60)}' is no MID.`)
  return mid.value
}

/** A batch form of the command's name and one word; `act` judges the word. */
export const oneWord = (usage: string, act: (session: Session, word: string) => Promise<void>): Form =>
  wordForm(usage, [], 1, (session, [word = '']) => act(session, word))

/** The message of an MID. @throws UserError when there is none. */
export const entryOf = ({ appliance }: Session, mid: number): SpoolEntry => {
  const entry = appliance.spool.entry(mid)
  if (!entry) throw new UserError(`MID ${mid} does not exist.`)
  return entry
}

/** The message as it would be delivered: our own header lines on top of the bytes as received. */
export const wholeMessage = async ({ appliance }: Session, entry: SpoolEntry): Promise<Buffer> =>
  Buffer.concat([Buffer.from(entry.trace), await appliance.spool.body(entry.mid)])

/** A recipient domain: a host name, or an address literal; a host and port after `redirectrecipients`. */
export const domainField: Field<string> = {
  parse: (text) => {
    const domain = text.trim().toLowerCase().replace(/\.$/, '')
    if (domain === '') return fail('A value is required.')
    return isHostname(domain.replace(/:\d{1,5}$/, '')) ||
      /^\[(?:ipv6:)?[0-9a-f:.]{2,45}\]$/.test(domain) ||
      isInternational(domain)
      ? ok(domain)
      : fail('The value must be a domain. (Ex: example.com)')
  },
  format: (domain) => domain,
}
const isInternational = (domain: string): boolean => /^[^\s@<>:[\]]{1,253}$/.test(domain) && /[^ -~]/.test(domain)

/** An envelope sender; `<>` is the null sender. */
const senderField: Field<string> = {
  parse: (text) => {
    const sender = text.trim().replace(/^<(.*)>$/, '$1')
    if (text.trim() === '') return fail('A value is required. The null sender is <>.')
    return sender === '' || /^[^\s<>]{1,320}$/.test(sender)
      ? ok(sender)
      : fail('The value must be an email address. (Ex: administrator@example.com)')
  },
  format: (sender) => `<${sender}>`,
}

export const domainOf = (word: string): string => readValue(domainField, word)

export const SELECTION_WORDS = 'host HOST | sender ADDRESS | all'

/** `host example.com`, `sender a@example.com`, `all`. */
export const selectionOf = (usage: string, args: readonly string[]): QueueSelection => {
  const [kind = '', value, ...more] = args
  if (more.length === 0 && kind === 'all' && value === undefined) return { kind: 'all' }
  if (more.length === 0 && value !== undefined && kind === 'host') return { kind: 'host', host: domainOf(value) }
  if (more.length === 0 && value !== undefined && kind === 'sender')
    return { kind: 'sender', sender: readValue(senderField, value) }
  throw misused('Say which messages are meant.', usage)
}

const KINDS = ['By recipient host.', 'By Envelope From address.', 'All.'] as const

/** Asks which messages are meant. */
export const askSelection = async ({ ask }: Session, verb: string): Promise<QueueSelection> => {
  const kind = await ask.pick(`Please select how you would like to ${verb} messages:`, KINDS, (label) => label, 0)
  if (kind === KINDS[0])
    return {
      kind: 'host',
      host: await ask.field(`Please enter the hostname for the messages you wish to ${verb}.`, domainField),
    }
  if (kind === KINDS[1])
    return {
      kind: 'sender',
      sender: await ask.field(
        `Please enter the Envelope From address for the messages you wish to ${verb}.`,
        senderField,
      ),
    }
  return { kind: 'all' }
}

const CONFIRM: { readonly [K in QueueSelection['kind']]: (verb: string, value: string) => string } = {
  host: (verb, host) => `Are you sure you want to ${verb} all messages being delivered to "${host}"?`,
  sender: (verb, sender) =>
    `Are you sure you want to ${verb} all messages with the Envelope From address of "${sender}"?`,
  all: (verb) => `Are you sure you want to ${verb} all messages in the delivery queue (all active recipients)?`,
}

export const confirmSelection = ({ ask }: Session, verb: string, selection: QueueSelection): Promise<boolean> => {
  const value = selection.kind === 'host' ? selection.host : selection.kind === 'sender' ? selection.sender : ''
  return ask.confirm(CONFIRM[selection.kind](verb, printableCut(value, 200)), false)
}

/** Runs an action that Ctrl-C ends between two messages, and says what it came to. */
export const report = async (
  session: Session,
  act: (signal: AbortSignal) => Promise<QueueOutcome>,
  line: (outcome: QueueOutcome) => string,
): Promise<void> => {
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    const outcome = await act(signal)
    session.print(line(outcome))
    if (outcome.busy > 0)
      session.print(`${outcome.busy} recipients are being delivered at this moment and were left alone.`)
    if (signal.aborted) session.print('Interrupted: the others are as they were.')
  } finally {
    done()
  }
}

/** Prints a line at once and then every `seconds`, until Ctrl-C. */
export const every = async (session: Session, seconds: number, line: () => string): Promise<void> => {
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    while (!signal.aborted) {
      session.print(line())
      await session.terminal.drained?.()
      await session.appliance.env.clock.sleep(seconds * 1000, signal).catch(() => undefined)
    }
  } finally {
    done()
  }
}

export const secondsField: Field<number> = integer(1, 86_400)
export const secondsOf = (word: string): number => readValue(secondsField, word)
/** Time that connections and deliveries get to end by themselves. */
export const graceField: Field<number> = integer(0, 3600)
export const GRACE_QUESTION = 'Enter the number of seconds to wait before abruptly closing connections.'
export const GRACE_SECONDS = 30
