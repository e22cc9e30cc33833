import type { MailFlow } from '../../mail/smtp/host-access.ts'
import { fail, ok } from '../../core/result.ts'
import { integer, oneOf, yesNo } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'

export type ParameterKey = Exclude<keyof MailFlow, 'behaviour' | 'policy'>
type Value = string | number | boolean

/** One parameter of a mail-flow policy: in tables and files (`word`), batch forms (`--option`) and dialogues (`label`). */
export interface Parameter {
  readonly key: ParameterKey
  readonly word: string
  readonly option: string
  readonly label: string
  readonly field: Field<Value>
  /** As the summary above the table shows it. */
  readonly show: (value: Value) => string
}

const MAX_SIZE = 1_073_741_824

const size: Field<number> = {
  parse: (text) => {
    const [, digits, unit = ''] = /^(\d{1,12})([KM]?)$/i.exec(text.trim()) ?? []
    const bytes = Number(digits) * ({ '': 1, K: 1024, M: 1_048_576 }[unit.toUpperCase()] ?? 1)
    return digits !== undefined && bytes >= 1024 && bytes <= MAX_SIZE
      ? ok(bytes)
      : fail('The value must be a size from 1K to 1024M. (Ex: 20M, 512K)')
  },
  format: (bytes) =>
    bytes % 1_048_576 === 0 ? `${bytes / 1_048_576}M` : bytes % 1024 === 0 ? `${bytes / 1024}K` : String(bytes),
}

const words: Field<string> = {
  parse: (text) =>
    /^[^\u0000-\u001f\u007f"]{0,255}$/.test(text.trim())
      ? ok(text.trim())
      : fail('The value must have at most 255 characters and no quotes.'),
  format: (text) => text,
}

const onOff: Field<boolean> = {
  parse: (text) => {
    const t = text.trim().toLowerCase()
    return t === 'on' ? ok(true) : t === 'off' ? ok(false) : yesNo.parse(text)
  },
  format: (on) => (on ? 'on' : 'off'),
}

const perHour: Field<number> = {
  parse: (text) => (/^(unlimited|disabled)$/i.test(text.trim()) ? ok(-1) : integer(-1, 10_000_000).parse(text)),
  format: String,
}

const invalidPerHour: Field<number> = {
  parse: (text) => (/^(unlimited|disabled)$/i.test(text.trim()) ? ok(0) : integer(0, 1_000_000).parse(text)),
  format: String,
}

const make = <T extends Value>(
  key: ParameterKey,
  word: string,
  option: string,
  label: string,
  field: Field<T>,
  show: (value: T) => string = (value) => field.format(value),
): Parameter => ({
  key,
  word,
  option,
  label,
  field,
  show: (value) => show(value as T),
})

const LEVELS = ['off', 'preferred', 'required'] as const
const level = (l: (typeof LEVELS)[number]): string => ({ off: 'No', preferred: 'Preferred', required: 'Required' })[l]
const yes = (on: boolean): string => (on ? 'Yes' : 'No')
const orDefault = (text: string): string => (text === '' ? 'Default' : text)

/** In the order of AsyncOS's table. */
export const PARAMETERS: readonly Parameter[] = [
  make('maxMessageBytes', 'max_message_size', 'max_size', 'Maximum Message Size', size),
  make(
    'maxConcurrencyPerAddress',
    'max_concurrency',
    'max_conn',
    'Maximum Number Of Concurrent Connections From A Single IP',
    integer(1, 100_000),
  ),
  make(
    'maxMessagesPerConnection',
    'max_msgs_per_session',
    'max_msgs',
    'Maximum Number Of Messages Per Connection',
    integer(1, 1_000_000),
  ),
  make(
    'maxRecipients',
    'max_rcpts_per_msg',
    'max_rcpt',
    'Maximum Number Of Recipients Per Message',
    integer(1, 100_000),
  ),
  make('maxRecipientsPerHour', 'max_rcpts_per_hour', 'rate', 'Maximum Number Of Recipients Per Hour', perHour, (n) =>
    n < 0 ? 'Disabled' : String(n),
  ),
  make(
    'maxInvalidRecipients',
    'dhap_limit',
    'dhap',
    'Maximum Number Of Invalid Recipients Per Hour',
    invalidPerHour,
    (n) => (n === 0 ? 'Disabled' : String(n)),
  ),
  make('harvestDrop', 'dhap_drop', 'dhap_drop', 'Drop Connection If The Invalid Recipients Are Reached', onOff, yes),
  make('harvestCode', 'dhap_code', 'dhap_code', 'Invalid Recipients SMTP Code', integer(400, 599)),
  make('harvestText', 'dhap_text', 'dhap_text', 'Invalid Recipients SMTP Text', words, orDefault),
  make('limitCode', 'rcpt_limit_code', 'limit_code', 'Rate Limit SMTP Code', integer(400, 599)),
  make('limitText', 'rcpt_limit_text', 'limit_text', 'Rate Limit SMTP Text', words, orDefault),
  make('bannerText', 'smtp_banner_text', 'acc_text', 'SMTP Banner Text', words),
  make('rejectCode', 'reject_banner_code', 'rej_code', 'Reject SMTP Code', integer(400, 599)),
  make('rejectText', 'reject_banner_text', 'rej_text', 'Reject SMTP Text', words, orDefault),
  make('tls', 'tls', 'tls', 'Allow TLS Connections', oneOf(LEVELS), level),
  make('smtpAuth', 'smtp_auth', 'auth', 'Allow SMTP Authentication', oneOf(LEVELS), level),
  make('verifyClient', 'verify_client', 'verify_client', 'Verify Client Certificate', onOff, yes),
  make('dkim', 'dkim_verification', 'dkim_verification', 'DKIM Verification Enabled', onOff, yes),
  make('spf', 'spf', 'spf', 'SPF/SIDF Verification Enabled', onOff, yes),
  make('dmarc', 'dmarc', 'dmarc', 'DMARC Verification Enabled', onOff, yes),
  make('sdr', 'sdr', 'sdr', 'Sender Domain Reputation Verification Enabled', onOff, yes),
  make(
    'senderVerification',
    'envelope_sender_verification',
    'sender_verification',
    'Envelope Sender DNS Verification Enabled',
    onOff,
    yes,
  ),
  make('exceptionTable', 'exception_table', 'exception_table', 'Domain Exception Table Enabled', onOff, yes),
  make(
    'earlyTalker',
    'early_talker',
    'early_talker',
    'Clients That Talk Before The Greeting',
    oneOf(['accept', 'log', 'reject'] as const),
    (word) => ({ accept: 'Accepted', log: 'Logged', reject: 'Rejected' })[word],
  ),
]
