import * as v from 'valibot'
import { isAddressBlock } from '../address-block.ts'
import { defineSection } from '../section.ts'

const text = v.pipe(v.string(), v.maxLength(8192))

/** `adminaccessconfig`: who may reach the administration from where, and what it says to them. */
export const adminAccess = defineSection({
  name: 'admin_access',
  version: 1,
  schema: v.object({
    /** Addresses and blocks from which an administrator may log in over the network; empty = all. */
    addresses: v.array(
      v.pipe(
        v.string(),
        v.check((b) => isAddressBlock(b), 'not an address or block'),
      ),
    ),
    /** Before the login; null = none. */
    banner: v.nullable(text),
    /** After it; null = none. */
    welcome: v.nullable(text),
    /** Minutes without input after which a session on a terminal ends. */
    timeoutMinutes: v.pipe(v.number(), v.integer(), v.minValue(5), v.maxValue(1440)),
  }),
  defaults: { addresses: [], banner: null, welcome: null, timeoutMinutes: 30 },
})
