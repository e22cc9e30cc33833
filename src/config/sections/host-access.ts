import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { parseHostEntry } from '../host-entries.ts'
import { uniqueNames } from '../unique.ts'

export const BEHAVIOURS = ['ACCEPT', 'REJECT', 'RELAY', 'TCPREFUSE', 'CONTINUE'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

const count = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const line = v.pipe(
  v.string(),
  v.maxLength(255),
  v.check((s) => !/[\u0000-\u001f\u007f"]/.test(s), 'control characters and quotes cannot stand here'),
)

/** What a listener asks of a client and grants it. A listener holds all of them; a mail-flow policy those that differ. */
export const parameters = {
  tls: v.picklist(['off', 'preferred', 'required']),
  smtpAuth: v.picklist(['off', 'preferred', 'required']),
  /** Under TLS a certificate is asked for; its name counts and is logged when an authority that we trust signed it. */
  verifyClient: v.boolean(),
  maxConcurrencyPerAddress: count(1, 100_000),
  maxMessagesPerConnection: count(1, 1_000_000),
  maxRecipients: count(1, 100_000),
  maxMessageBytes: count(1024, 1_073_741_824),
  /** Of one address on one listener; -1 = unlimited. */
  maxRecipientsPerHour: count(-1, 10_000_000),
  /** The domain of the envelope sender must exist in DNS. */
  senderVerification: v.boolean(),
  /** The exception table may answer for the envelope sender (exceptionconfig). */
  exceptionTable: v.boolean(),
  /** What becomes of a client that talks before the greeting. */
  earlyTalker: v.picklist(['accept', 'log', 'reject']),
  /** Recipients that are none, of one address, within the time of the counters; 0 = no directory harvest prevention. */
  maxInvalidRecipients: count(0, 1_000_000),
  /** Closes the connection that goes above. */
  harvestDrop: v.boolean(),
  harvestCode: count(400, 599),
  /** '' = our own words. */
  harvestText: line,
  spf: v.boolean(),
  dkim: v.boolean(),
  dmarc: v.boolean(),
  sdr: v.boolean(),
  /** What stands behind `220 hostname`. */
  bannerText: v.pipe(line, v.minLength(1)),
  rejectCode: count(400, 599),
  /** '' = our own words. */
  rejectText: line,
  /** Answer to a recipient above `maxRecipientsPerHour`. */
  limitCode: count(400, 599),
  limitText: line,
}

export const mailFlowPolicy = v.object({
  /** Without the `$` under which sender groups name it. */
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  behaviour: v.picklist(BEHAVIOURS),
  tls: v.nullable(parameters.tls),
  smtpAuth: v.nullable(parameters.smtpAuth),
  verifyClient: v.nullable(parameters.verifyClient),
  maxConcurrencyPerAddress: v.nullable(parameters.maxConcurrencyPerAddress),
  maxMessagesPerConnection: v.nullable(parameters.maxMessagesPerConnection),
  maxRecipients: v.nullable(parameters.maxRecipients),
  maxMessageBytes: v.nullable(parameters.maxMessageBytes),
  maxRecipientsPerHour: v.nullable(parameters.maxRecipientsPerHour),
  senderVerification: v.nullable(parameters.senderVerification),
  exceptionTable: v.nullable(parameters.exceptionTable),
  earlyTalker: v.nullable(parameters.earlyTalker),
  maxInvalidRecipients: v.nullable(parameters.maxInvalidRecipients),
  harvestDrop: v.nullable(parameters.harvestDrop),
  harvestCode: v.nullable(parameters.harvestCode),
  harvestText: v.nullable(parameters.harvestText),
  spf: v.nullable(parameters.spf),
  dkim: v.nullable(parameters.dkim),
  dmarc: v.nullable(parameters.dmarc),
  sdr: v.nullable(parameters.sdr),
  bannerText: v.nullable(parameters.bannerText),
  rejectCode: v.nullable(parameters.rejectCode),
  rejectText: v.nullable(parameters.rejectText),
  limitCode: v.nullable(parameters.limitCode),
  limitText: v.nullable(parameters.limitText),
})
export type MailFlowPolicy = v.InferOutput<typeof mailFlowPolicy>

export const senderGroup = v.object({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  /** `10.1.1.0/24`, `10.1.1.10-20`, `10.1.1.`, `crm.example.com`, `.example.com`, `sbrs[-10.0:-3.0]`, `dnslist[zone]`, `geo[DE]`, `ALL`. */
  hosts: v.array(
    v.pipe(
      v.string(),
      v.maxLength(300),
      v.check((s) => parseHostEntry(s).ok, 'not an entry of a sender group'),
    ),
  ),
  /** `$NAME` of a mail-flow policy, or a behaviour with the default parameters. */
  policy: v.string(),
  comment: line,
})
export type SenderGroup = v.InferOutput<typeof senderGroup>

/** Sender groups top to bottom, entries in their order: the first match decides, unless its behaviour is CONTINUE. */
export const hostAccess = v.object({
  policies: v.array(mailFlowPolicy),
  groups: v.array(senderGroup),
  /** Policy of those whom no group matches: the entry `ALL` at the end of the table. */
  otherwise: v.string(),
})
export type HostAccess = v.InferOutput<typeof hostAccess>

/** A policy that changes no parameter. */
export const plainPolicy = (name: string, behaviour: Behaviour): MailFlowPolicy => ({
  name,
  behaviour,
  tls: null,
  smtpAuth: null,
  verifyClient: null,
  maxConcurrencyPerAddress: null,
  maxMessagesPerConnection: null,
  maxRecipients: null,
  maxMessageBytes: null,
  maxRecipientsPerHour: null,
  senderVerification: null,
  exceptionTable: null,
  earlyTalker: null,
  maxInvalidRecipients: null,
  harvestDrop: null,
  harvestCode: null,
  harvestText: null,
  spf: null,
  dkim: null,
  dmarc: null,
  sdr: null,
  bannerText: null,
  rejectCode: null,
  rejectText: null,
  limitCode: null,
  limitText: null,
})

const TRUSTED: MailFlowPolicy = {
  ...plainPolicy('TRUSTED', 'ACCEPT'),
  maxMessagesPerConnection: 5000,
  maxConcurrencyPerAddress: 600,
  maxRecipients: 5000,
  maxMessageBytes: 104_857_600,
  maxRecipientsPerHour: -1,
  sdr: false,
}
const THROTTLED: MailFlowPolicy = {
  ...plainPolicy('THROTTLED', 'ACCEPT'),
  maxMessagesPerConnection: 10,
  maxConcurrencyPerAddress: 10,
  maxRecipients: 25,
  maxMessageBytes: 10_485_760,
  maxRecipientsPerHour: 20,
}

/** The tables of a new listener, with AsyncOS's names since 13.5. */
export const defaultHostAccess = (type: 'public' | 'private', relayHosts: readonly string[] = []): HostAccess => {
  const relay: SenderGroup = {
    name: 'RELAYLIST',
    hosts: [...relayHosts],
    policy: '$RELAYED',
    comment: 'Relay mail for our hosts',
  }
  const group = (name: string, hosts: string[], policy: string, comment: string): SenderGroup => ({
    name,
    hosts,
    policy,
    comment,
  })
  const blocked = plainPolicy('BLOCKED', 'REJECT')
  const relayed = plainPolicy('RELAYED', 'RELAY')
  if (type === 'private') return { policies: [relayed, blocked], groups: [relay], otherwise: '$BLOCKED' }
  return {
    policies: [
      plainPolicy('ACCEPTED', 'ACCEPT'),
      THROTTLED,
      TRUSTED,
      blocked,
      ...(relayHosts.length > 0 ? [relayed] : []),
    ],
    groups: [
      ...(relayHosts.length > 0 ? [relay] : []),
      group('ALLOWED_LIST', [], '$TRUSTED', 'Our trusted senders have no rate limits'),
      group('BLOCKED_LIST', ['sbrs[-10.0:-3.0]'], '$BLOCKED', 'Spammers are rejected'),
      group('SUSPECTLIST', ['sbrs[-3.0:-1.0]'], '$THROTTLED', 'Suspicious senders are throttled'),
      group(
        'UNKNOWNLIST',
        ['sbrs[-1.0:10.0]', 'sbrs[none]'],
        '$ACCEPTED',
        'Reviewed but undecided, continue normal acceptance',
      ),
    ],
    otherwise: '$ACCEPTED',
  }
}

/** Every policy that a group names must be there. */
export const verifyHostAccess = (path: string, table: HostAccess): readonly Issue[] => {
  const known = new Set<string>([...BEHAVIOURS, ...table.policies.map((p) => `$${p.name}`)])
  const missing = (where: string, policy: string): readonly Issue[] =>
    known.has(policy)
      ? []
      : [
          {
            path: `${path}.${where}`,
            message: `${where} names the policy ${policy}, which does not exist.`,
            severity: 'error',
          },
        ]
  return [
    ...uniqueNames(`${path}.policies`, table.policies),
    ...uniqueNames(`${path}.groups`, table.groups),
    ...table.groups.flatMap((g) => missing(g.name, g.policy)),
    ...missing('ALL', table.otherwise),
  ]
}
