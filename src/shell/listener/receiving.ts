import { receiving } from '../../config/sections/receiving.ts'
import { integer, yesNo } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'
import type { Session } from '../command.ts'
import { misused, readForm, readValue } from '../options.ts'

/* `listenerconfig > SETUP`: what counts for all listeners together. */

type Receiving = (typeof receiving)['defaults']
type KeyOf<T> = { [K in keyof Receiving]: Receiving[K] extends T ? K : never }[keyof Receiving]

interface Setting<T> {
  readonly key: KeyOf<T>
  readonly option: string
  readonly question: string
  readonly field: Field<T>
}

const number = (key: KeyOf<number>, option: string, question: string, min: number, max: number): Setting<number> => ({
  key,
  option,
  question,
  field: integer(min, max),
})

const NUMBERS: readonly Setting<number>[] = [
  number(
    'maxConcurrency',
    'concurrency',
    'Enter the maximum number of concurrent connections across all listeners.',
    1,
    100_000,
  ),
  number('maxHeaderFields', 'headers', 'Enter the maximum number of header lines of a message.', 10, 10_000),
  number(
    'countersResetSeconds',
    'counters_reset',
    'Enter the number of seconds after which the injection control counters are reset.',
    60,
    86_400,
  ),
  number(
    'timeoutSeconds',
    'timeout',
    'Enter the number of seconds after which a silent connection is closed.',
    10,
    3600,
  ),
  number(
    'maxTlsConcurrency',
    'tls_concurrency',
    'Enter the maximum number of concurrent TLS connections across all listeners.',
    1,
    100_000,
  ),
  number('totalSeconds', 'total_time', 'Enter the number of seconds after which any connection is closed.', 60, 86_400),
  number('maxLineBytes', 'line_length', 'Enter the maximum length of a line of a message in bytes.', 998, 16_777_216),
]

const DELAYED_REJECT = `By default connections with a HAT REJECT policy are closed with a message at the start of the SMTP conversation.
Would you like to reject at the recipient level instead, for more detailed logging of rejected mail?`

const FLAGS: readonly Setting<boolean>[] = [
  {
    key: 'addMessageId',
    option: 'add_message_id',
    question: 'Would you like to add a Message-ID header to messages without one?',
    field: yesNo,
  },
  { key: 'rejectAtRecipient', option: 'delayed_reject', question: DELAYED_REJECT, field: yesNo },
]

export const RECEIVING_USAGE = `listenerconfig setup ${[...NUMBERS.map((s) => `[--${s.option}=N]`), ...FLAGS.map((s) => `[--${s.option}=yes|no]`)].join(' ')}`

export const askReceiving = async ({ ask, draft }: Session): Promise<void> => {
  let next = draft.get(receiving)
  for (const { key, question, field } of NUMBERS) next = { ...next, [key]: await ask.field(question, field, next[key]) }
  for (const { key, question } of FLAGS) next = { ...next, [key]: await ask.confirm(question, next[key]) }
  draft.set(receiving, next)
}

/** `listenerconfig setup …` */
export const receivingForm = ({ draft }: Session, args: readonly string[]): void => {
  const settings = [...NUMBERS, ...FLAGS]
  const { options } = readForm(RECEIVING_USAGE, args, { min: 0, max: 0, values: settings.map((s) => s.option) })
  const change = settings.flatMap(({ key, option, field }): readonly (readonly [string, number | boolean])[] => {
    const typed = options[option]
    return typed === undefined ? [] : [[key, readValue<number | boolean>(field, typed)]]
  })
  if (change.length === 0) throw misused('A value is missing.', RECEIVING_USAGE)
  draft.set(receiving, { ...draft.get(receiving), ...Object.fromEntries(change) })
}
