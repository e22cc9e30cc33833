import * as v from 'valibot'
import { defineSection } from '../section.ts'

const count = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

/** `listenerconfig > SETUP`: what counts for all listeners together. */
export const receiving = defineSection({
  name: 'receiving',
  version: 1,
  schema: v.object({
    maxConcurrency: count(1, 100_000),
    maxHeaderFields: count(10, 10_000),
    /** Limits per hour start again after so long. */
    countersResetSeconds: count(60, 86_400),
    /** Without a whole command for so long: 421. */
    timeoutSeconds: count(10, 3600),
    /** A client with the behaviour REJECT may talk, and each of its recipients is refused and logged. */
    rejectAtRecipient: v.boolean(),
    /** Connections under TLS at the same time; above, STARTTLS is answered 454. */
    maxTlsConcurrency: count(1, 100_000),
    /** A connection is closed after so long, between messages. */
    totalSeconds: count(60, 86_400),
    /** The longest line of a message, its line end included. */
    maxLineBytes: count(998, 16_777_216),
    /** A message without a Message-ID gets one. */
    addMessageId: v.boolean(),
  }),
  defaults: {
    maxConcurrency: 5000,
    maxHeaderFields: 1000,
    countersResetSeconds: 3600,
    timeoutSeconds: 300,
    rejectAtRecipient: false,
    maxTlsConcurrency: 1000,
    totalSeconds: 900,
    maxLineBytes: 1_048_576,
    addMessageId: false,
  },
})
