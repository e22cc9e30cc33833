import * as v from 'valibot'
import { defineSection } from '../section.ts'

const seconds = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

/** The delivery queue as a whole, and the bounce profile Default with AsyncOS's figures. */
export const delivery = defineSection({
  name: 'delivery',
  version: 1,
  schema: v.object({
    initialRetrySeconds: seconds(1, 86_400),
    maxRetrySeconds: seconds(1, 86_400),
    maxQueueSeconds: seconds(60, 2_592_000),
    maxRetries: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
    maxConcurrency: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)),
    connectTimeoutSeconds: seconds(1, 600),
    replyTimeoutSeconds: seconds(1, 3600),
    sendBounces: v.boolean(),
    dsnFormat: v.boolean(),
    sendWarnings: v.boolean(),
    warningSeconds: seconds(60, 2_592_000),
    warningCount: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
    /** Takes bounces and warnings instead of the sender. */
    alternateAddress: v.nullable(v.pipe(v.string(), v.minLength(3), v.maxLength(254))),
  }),
  defaults: {
    initialRetrySeconds: 60,
    maxRetrySeconds: 3600,
    maxQueueSeconds: 259_200,
    maxRetries: 100,
    maxConcurrency: 100,
    connectTimeoutSeconds: 30,
    replyTimeoutSeconds: 300,
    sendBounces: true,
    dsnFormat: true,
    sendWarnings: false,
    warningSeconds: 14_400,
    warningCount: 1,
    alternateAddress: null,
  },
})
