import * as v from 'valibot'
import { isIP } from 'node:net'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const listener = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** public accepts mail for `acceptDomains`; private relays for `relayHosts`. */
  type: v.picklist(['public', 'private']),
  interfaceName: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  address: v.pipe(
    v.string(),
    v.check((a) => isIP(a) !== 0, 'not an IP address'),
  ),
  /** 0 takes a free port (tests, demo). */
  port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  /** Recipient Access Table: `example.com`, `.example.com`, `user@example.com`; everything else is rejected. */
  acceptDomains: v.array(v.string()),
  /** Addresses and CIDR blocks whose mail is relayed anywhere (behaviour RELAY, outgoing). */
  relayHosts: v.array(v.string()),
  tls: v.picklist(['off', 'preferred', 'required']),
  maxConcurrency: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  maxConcurrencyPerAddress: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  maxMessagesPerConnection: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000)),
  maxRecipients: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  maxMessageBytes: v.pipe(v.number(), v.integer(), v.minValue(1024), v.maxValue(1_073_741_824)),
  /** Bare CR or LF: refuse the message, or convert it to CRLF. Never an end of data. */
  bareNewlines: v.picklist(['reject', 'convert']),
})
export type Listener = v.InferOutput<typeof listener>

/** A listener of a fresh home: loopback, port 2525, mail for example.com. */
export const defaultListener: Listener = {
  name: 'IncomingMail',
  type: 'public',
  interfaceName: 'Data 1',
  address: '127.0.0.1',
  port: 2525,
  acceptDomains: ['example.com'],
  relayHosts: [],
  tls: 'preferred',
  maxConcurrency: 1000,
  maxConcurrencyPerAddress: 100,
  maxMessagesPerConnection: 1000,
  maxRecipients: 1000,
  maxMessageBytes: 20_971_520,
  bareNewlines: 'reject',
}

/** `listenerconfig`. */
export const listeners = defineSection<Listener[]>({
  name: 'listeners',
  version: 1,
  schema: v.array(listener),
  defaults: [defaultListener],
  verify: (all) => {
    const ports = new Set<string>()
    const clashes = all.flatMap((l): readonly Issue[] => {
      const key = `${l.address} port ${l.port}`
      if (l.port === 0 || !ports.has(key)) {
        ports.add(key)
        return []
      }
      return [{ path: `listeners.${l.name}.port`, message: `Two listeners use ${key}.`, severity: 'error' }]
    })
    return [...uniqueNames('listeners', all), ...clashes]
  },
})
