import * as v from 'valibot'
import { isIP } from 'node:net'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import type { ConfigReader } from '../section.ts'
import { isAddressEntry, parseHostEntry } from '../host-entries.ts'
import { uniqueNames } from '../unique.ts'
import { addressLists } from './address-lists.ts'
import { callAhead } from './call-ahead.ts'
import { certificates } from './certificates.ts'
import { addressOn, interfaces } from './interfaces.ts'
import { defaultHostAccess, hostAccess, parameters, plainPolicy, verifyHostAccess } from './host-access.ts'

export const recipientEntry = v.object({
  /** `example.com`, `.example.com`, `joe@example.com`, `postmaster@`, `ALL`. */
  address: v.pipe(v.string(), v.minLength(1), v.maxLength(320)),
  access: v.picklist(['accept', 'reject']),
  /** Its recipients are not counted by limits per hour. */
  bypassLimits: v.boolean(),
  /** Its recipients are taken without being validated. */
  bypassValidation: v.boolean(),
  /** null = our own words. */
  replyCode: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599))),
  replyText: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
})
export type RecipientEntry = v.InferOutput<typeof recipientEntry>

/** What is answered must say what is done: 250 to 259 for a recipient that is taken, 4xx and 5xx for one that is not. */
export const fitsAccess = (access: RecipientEntry['access'], code: number): boolean =>
  access === 'accept' ? code >= 250 && code <= 259 : code >= 400 && code <= 599

/** An entry that accepts, with our own words. */
export const acceptEntry = (address: string): RecipientEntry => ({
  address,
  access: 'accept',
  bypassLimits: false,
  bypassValidation: false,
  replyCode: null,
  replyText: null,
})

export const listener = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** public accepts mail for the domains of its Recipient Access Table; private relays for its RELAYLIST. */
  type: v.picklist(['public', 'private']),
  interfaceName: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** Its own; null = that of the interface (`interfaceconfig`). */
  address: v.nullable(
    v.pipe(
      v.string(),
      v.check((a) => isIP(a) !== 0, 'not an IP address'),
    ),
  ),
  /** 0 takes a free port (tests, demo). */
  port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  /** Recipient Access Table: top to bottom, the first match decides; what none matches is rejected. */
  recipientAccess: v.array(recipientEntry),
  /** Who is a recipient, behind the table: anybody, those who have an embedded mailbox, an address list, or whom the next hop takes. */
  recipientValidation: v.picklist(['off', 'mailboxes', 'list', 'callahead']),
  recipientList: v.string(),
  callAheadProfile: v.string(),
  hostAccess,
  /** Balancers whose PROXY protocol header is demanded and believed; empty = none. */
  proxyAddresses: v.array(
    v.pipe(
      v.string(),
      v.check((s) => isAddressEntry(s), 'not an address or a block of addresses'),
    ),
  ),
  /** Certificate profiles (certconfig): the first answers unless a client names (SNI) another's host; empty = the appliance's own. */
  certificates: v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  /** TLS begins with the connection, before the greeting (RFC 8314 §3.3, port 465), and STARTTLS is not offered. */
  implicitTls: v.boolean(),
  maxConcurrency: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  /** Bare CR or LF: refuse the message, or convert it to CRLF. Never an end of data. */
  bareNewlines: v.picklist(['reject', 'convert']),
  // The default parameters of its mail-flow policies.
  ...parameters,
})
export type Listener = v.InferOutput<typeof listener>

/** A listener of a fresh home: loopback, port 2525, mail for example.com. */
export const defaultListener: Listener = {
  name: 'IncomingMail',
  type: 'public',
  interfaceName: 'Data 1',
  address: '127.0.0.1',
  port: 2525,
  recipientAccess: [acceptEntry('example.com')],
  recipientValidation: 'off',
  recipientList: '',
  callAheadProfile: '',
  hostAccess: defaultHostAccess('public'),
  proxyAddresses: [],
  certificates: [],
  implicitTls: false,
  maxConcurrency: 1000,
  bareNewlines: 'reject',
  tls: 'preferred',
  smtpAuth: 'off',
  verifyClient: false,
  maxConcurrencyPerAddress: 100,
  maxMessagesPerConnection: 1000,
  maxRecipients: 1000,
  maxMessageBytes: 20_971_520,
  maxRecipientsPerHour: -1,
  senderVerification: false,
  exceptionTable: false,
  earlyTalker: 'log',
  maxInvalidRecipients: 25,
  harvestDrop: true,
  harvestCode: 550,
  harvestText: '',
  spf: true,
  dkim: true,
  dmarc: true,
  sdr: true,
  bannerText: 'ESMTP',
  rejectCode: 554,
  rejectText: '',
  limitCode: 452,
  limitText: '',
}

/** Version 1 had a list of accepted domains and one of relay hosts in place of the two tables. */
const fromVersion1 = (old: unknown): unknown =>
  (old as (Record<string, unknown> & Pick<Listener, 'type'> & { acceptDomains: string[]; relayHosts: string[] })[]).map(
    ({ acceptDomains, relayHosts, ...kept }) => ({
      ...defaultListener,
      ...kept,
      recipientAccess: acceptDomains.map(acceptEntry),
      hostAccess: defaultHostAccess(
        kept.type,
        relayHosts.filter((h) => parseHostEntry(h).ok),
      ),
    }),
  )

/** Version 2 knew no certificates, no early talkers and no limit of invalid recipients: it goes on as it was. */
const fromVersion2 = (old: unknown): unknown => {
  type Old = Record<string, unknown> & {
    recipientAccess: Record<string, unknown>[]
    hostAccess: Record<string, unknown> & { policies: Record<string, unknown>[] }
  }
  const plain = plainPolicy('X', 'ACCEPT')
  return (old as Old[]).map((l) => ({
    ...defaultListener,
    maxInvalidRecipients: 0,
    ...l,
    recipientAccess: l.recipientAccess.map((e) => ({ bypassValidation: false, ...e })),
    hostAccess: { ...l.hostAccess, policies: l.hostAccess.policies.map((p) => ({ ...plain, ...p })) },
  }))
}

/** Version 3 knew no call-ahead. */
const fromVersion3 = (old: unknown): unknown =>
  (old as Record<string, unknown>[]).map((l) => ({ callAheadProfile: '', ...l }))

/** Version 4 knew TLS behind STARTTLS only. */
const fromVersion4 = (old: unknown): unknown =>
  (old as Record<string, unknown>[]).map((l) => ({ implicitTls: false, ...l }))

const verifyCallAhead = (l: Listener, whole: ConfigReader): readonly Issue[] => {
  if (l.recipientValidation !== 'callahead' || whole.get(callAhead).some((p) => p.name === l.callAheadProfile))
    return []
  const message = `Listener ${l.name} validates recipients with the call-ahead profile '${l.callAheadProfile}', which does not exist.`
  return [{ path: `listeners.${l.name}.callAheadProfile`, message, severity: 'error' }]
}

const verifyRecipientList = (l: Listener, whole: ConfigReader): readonly Issue[] => {
  if (l.recipientValidation !== 'list' || whole.get(addressLists).some((a) => a.name === l.recipientList)) return []
  const message = `Listener ${l.name} validates recipients with the address list '${l.recipientList}', which does not exist.`
  return [{ path: `listeners.${l.name}.recipientList`, message, severity: 'error' }]
}

const verifyCertificates = (l: Listener, whole: ConfigReader): readonly Issue[] =>
  l.certificates
    .filter((name) => !whole.get(certificates).profiles.some((p) => p.name === name))
    .map((name) => ({
      path: `listeners.${l.name}.certificates`,
      message: `Listener ${l.name} uses the certificate profile '${name}', which does not exist.`,
      severity: 'error',
    }))

/** `listenerconfig`. */
export const listeners = defineSection<Listener[]>({
  name: 'listeners',
  version: 5,
  schema: v.array(listener),
  defaults: [defaultListener],
  migrations: { 1: fromVersion1, 2: fromVersion2, 3: fromVersion3, 4: fromVersion4 },
  verify: (all, whole) => {
    const ports = new Set<string>()
    const clashes = all.flatMap((l): readonly Issue[] => {
      const address = addressOn(l, whole.get(interfaces))
      if (address === null) {
        const message = `Listener ${l.name} is on the interface '${l.interfaceName}', which does not exist.`
        return [{ path: `listeners.${l.name}.interfaceName`, message, severity: 'error' }]
      }
      const key = `${address} port ${l.port}`
      if (l.port === 0 || !ports.has(key)) {
        ports.add(key)
        return []
      }
      return [{ path: `listeners.${l.name}.port`, message: `Two listeners use ${key}.`, severity: 'error' }]
    })
    return [
      ...uniqueNames('listeners', all),
      ...clashes,
      ...all.flatMap((l) => verifyHostAccess(`listeners.${l.name}.hostAccess`, l.hostAccess)),
      ...all.flatMap((l) => verifyRecipientList(l, whole)),
      ...all.flatMap((l) => verifyCallAhead(l, whole)),
      ...all.flatMap((l) => verifyCertificates(l, whole)),
    ]
  },
})
