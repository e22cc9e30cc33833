import { text } from '../../core/schema.ts'
import { printString } from '../../mail/filter/print.ts'
import type { Ask } from '../command.ts'

/** A numbered choice of `policyconfig`: asks its values and gives the condition or action as text of the language. */
export interface FilterChoice {
  readonly label: string
  build(ask: Ask): Promise<string>
}

const ask = (a: Ask, question: string, initial?: string): Promise<string> => a.field(question, text(), initial)
const quoted = async (a: Ask, question: string, initial?: string): Promise<string> =>
  printString(await ask(a, question, initial))
const optional = async (a: Ask, question: string): Promise<string> =>
  printString((await a.optional(question, text())) ?? '')

const list = (answer: string): string =>
  `[${answer
    .split(',')
    .map((word) => printString(word.trim()))
    .join(', ')}]`

const REGEX = 'Enter regular expression to search for:'
const URL_LIST = 'Enter the name of a URL list to leave alone (optional):'
const DOMAIN_LIST = 'Enter the name of a domain exception list (optional):'

const compare = (label: string, rule: string, question: string): FilterChoice => ({
  label,
  build: async (a) => `${rule} == ${await quoted(a, question)}`,
})

const contains = (label: string, rule: string): FilterChoice => ({
  label,
  build: async (a) => {
    const pattern = await quoted(a, 'Enter regular expression to search message contents for:')
    return `${rule}(${pattern}, ${await ask(a, 'Threshold required for match:', '1')})`
  },
})

const range = async (a: Ask): Promise<string> =>
  `${await ask(a, 'Enter the lowest score:', '-10.0')}, ${await ask(a, 'Enter the highest score:', '-6.0')}`

const free = (label: string, question: string): FilterChoice => ({ label, build: (a) => ask(a, question) })

/** The conditions of AsyncOS whose rule we have, in its order, then ours. */
export const CONDITIONS: readonly FilterChoice[] = [
  contains('Message Body Contains', 'body-contains'),
  contains('Only Body Contains (Attachments are not scanned)', 'only-body-contains'),
  { label: 'Message Body Size', build: async (a) => `body-size ${await ask(a, 'Enter operator and size:', '> 10M')}` },
  compare('Subject Header', 'subject', REGEX),
  {
    label: 'Other Header',
    build: async (a) => {
      const name = await quoted(a, 'Enter the name of the header:')
      return `header(${name}) == ${await quoted(a, REGEX)}`
    },
  },
  compare('Attachment Name', 'attachment-filename', REGEX),
  compare('Attachment MIME Type', 'attachment-type', 'Enter the MIME type to match:'),
  compare('Envelope Recipient Address', 'rcpt-to', REGEX),
  compare('Envelope Sender Address', 'mail-from', REGEX),
  compare('Remote IP', 'remote-ip', 'Enter the IP address or range:'),
  compare('DKIM authentication result', 'dkim-authentication', 'Enter the result to match:'),
  compare('SPF verification result', 'spf-status', 'Enter the results to match, separated by commas:'),
  {
    label: 'URL Reputation',
    build: async (a) => `url-reputation(${await range(a)}, ${await optional(a, URL_LIST)})`,
  },
  { label: 'URL without Reputation', build: async (a) => `url-no-reputation(${await optional(a, URL_LIST)})` },
  {
    label: 'Domain Reputation: Verdict',
    build: async (a) => {
      const levels = await ask(a, 'Enter the levels to match, separated by commas:', 'awful, poor')
      return `sdr-reputation(${list(levels)}, ${await optional(a, DOMAIN_LIST)})`
    },
  },
  {
    label: 'Domain Reputation: Age',
    build: async (a) => {
      const age = await ask(a, 'Enter operator and number of days:', '< 10')
      const split = /^\s*([=!<>]+)\s*(.*)$/.exec(age)
      return `sdr-age("days", ${split?.[1] ?? '<'}, ${split?.[2] ?? age}, ${await optional(a, DOMAIN_LIST)})`
    },
  },
  { label: 'Domain Reputation: Unscannable', build: async (a) => `sdr-unscannable(${await optional(a, DOMAIN_LIST)})` },
  free('Rule of the filter language', 'Enter the condition:'),
]

const one = (label: string, action: string, question: string, initial?: string): FilterChoice => ({
  label,
  build: async (a) => `${action}(${await quoted(a, question, initial)})`,
})

/** The actions of AsyncOS that we have, in its order, then ours. */
export const ACTION_CHOICES: readonly FilterChoice[] = [
  {
    label: 'Insert A Custom Header',
    build: async (a) => {
      const name = await quoted(a, 'Enter the header name:')
      return `insert-header(${name}, ${await quoted(a, 'Enter the header value:')})`
    },
  },
  one('Strip A Header', 'strip-header', 'Enter the header name:'),
  {
    label: 'Edit Header Text',
    build: async (a) => {
      const name = await quoted(a, 'Enter the header name:', 'Subject')
      const pattern = await quoted(a, 'Enter the regular expression to replace:', '^')
      return `edit-header-text(${name}, ${pattern}, ${await quoted(a, 'Enter the replacement:', '[WARNING] ')})`
    },
  },
  one('Send To System Quarantine', 'quarantine', 'Enter the name of the quarantine:', 'Policy'),
  one('Duplicate And Send To System Quarantine', 'duplicate-quarantine', 'Enter the name of the quarantine:', 'Policy'),
  one('Add Log Entry', 'log-entry', 'Enter the text to log:'),
  one('Add Disclaimer Text: Above Message', 'add-heading-text', 'Enter the text:'),
  one('Add Disclaimer Text: Below Message', 'add-footer-text', 'Enter the text:'),
  {
    label: 'URL Reputation: Defang',
    build: async (a) => `url-reputation-defang(${await range(a)}, ${await optional(a, URL_LIST)}, 1)`,
  },
  {
    label: 'URL Reputation: Replace With Text',
    build: async (a) => {
      const scores = await range(a)
      const to = await quoted(a, 'Enter the text ($URL stands for the URL):')
      return `url-reputation-replace(${scores}, ${to}, ${await optional(a, URL_LIST)}, 1)`
    },
  },
  free('Action of the filter language', 'Enter the action:'),
  { label: 'Drop (Final Action)', build: async () => 'drop()' },
  { label: 'Skip Remaining Content Filters (Final Action)', build: async () => 'skip-filters()' },
]
