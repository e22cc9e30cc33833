import type { DaneMode, Destination, destinations, TlsMode } from '../../config/sections/destinations.ts'

type Settings = (typeof destinations)['defaults']
type Entry = Omit<Destination, 'domain'>

export const TLS_WORDS: Readonly<Record<TlsMode, string>> = {
  no: 'No',
  preferred: 'Preferred',
  required: 'Required',
  preferred_verify: 'Preferred - Verify',
  required_verify: 'Required - Verify',
}

export const DANE_WORDS: Readonly<Record<DaneMode, string>> = {
  none: 'None',
  opportunistic: 'Opportunistic',
  mandatory: 'Mandatory',
}

const cell = (value: number | string | null): string => (value === null ? 'Default' : String(value))
const onOff = (value: boolean | null): string => (value === null ? 'Default' : value ? 'On' : 'Off')
/** Of the default entry, which may leave it to bvconfig. */
const tagging = ({ bounceVerification: own }: Pick<Entry, 'bounceVerification'>): string =>
  own === null ? 'bvconfig' : onOff(own)
const limitOf = (e: Pick<Entry, 'recipients' | 'recipientMinutes'>): string =>
  e.recipients === null ? 'Default' : `${e.recipients} per ${e.recipientMinutes} min`

const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const [head = []] = rows
  const widths = head.map((_, i) => Math.max(...rows.map((r) => (r[i] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((w) => '='.repeat(w)).join('  '), ...rows.slice(1).map(line)]
}

/** What LIST prints. */
export const destinationTable = ({ domains, default: d }: Settings): readonly string[] =>
  columns([
    ['Domain', 'Rate Limiting', 'TLS', 'DANE', 'MTA STS', 'Bounce Verification', 'Bounce Profile'],
    ...domains.map((e) => [
      e.domain,
      e.concurrency === null && e.recipients === null && e.messagesPerConnection === null ? 'Default' : 'On',
      e.tls === null ? 'Default' : TLS_WORDS[e.tls],
      e.dane === null ? 'Default' : DANE_WORDS[e.dane],
      onOff(e.mtaSts),
      onOff(e.bounceVerification),
      cell(e.bounceProfile),
    ]),
    ['(Default)', 'On', TLS_WORDS[d.tls], DANE_WORDS[d.dane], onOff(d.mtaSts), tagging(d), cell(d.bounceProfile)],
  ])

/** What DETAIL prints. `name` null = the default entry. */
export const destinationDetail = (name: string | null, e: Entry): readonly string[] => [
  name ?? 'Default',
  `Maximum concurrency: ${cell(e.concurrency)}`,
  `Maximum messages per connection: ${cell(e.messagesPerConnection)}`,
  `Recipient limit: ${name === null && e.recipients === null ? 'None' : limitOf(e)}`,
  `TLS: ${e.tls === null ? 'Default' : TLS_WORDS[e.tls]}`,
  `DANE support: ${e.dane === null ? 'Default' : DANE_WORDS[e.dane]}`,
  `MTA STS support: ${onOff(e.mtaSts)}`,
  `Bounce verification address tagging: ${name === null ? tagging(e) : onOff(e.bounceVerification)}`,
  `Bounce profile: ${cell(e.bounceProfile)}`,
]
