import * as v from 'valibot'
import { isAddressEntry } from '../host-entries.ts'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const incomingRelay = v.object({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/)),
  /** The host that hands mail on to us: `10.1.1.1`, `10.1.1.0/24`. Nobody else's header is believed. */
  address: v.pipe(
    v.string(),
    v.check((s) => isAddressEntry(s), 'not an address or a block of addresses'),
  ),
  /** The field that names the client: `Received`, or one that the relay writes. */
  header: v.pipe(v.string(), v.regex(/^[!-9;-~]{1,70}$/)),
  /** Of a Received field: behind which text the address stands. */
  matchAfter: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** Which Received field, counted from the top: 1 is the relay's own. */
  hop: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
})
export type IncomingRelay = v.InferOutput<typeof incomingRelay>

/** `incomingrelayconfig`: hosts between the senders and us, and how they tell whom they have the mail from. */
export const incomingRelays = defineSection({
  name: 'incoming_relays',
  version: 1,
  schema: v.object({ enabled: v.boolean(), relays: v.array(incomingRelay) }),
  defaults: { enabled: false, relays: [] as IncomingRelay[] },
  verify: ({ relays }) => uniqueNames('incoming_relays.relays', relays),
})
