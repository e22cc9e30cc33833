import * as v from 'valibot'
import { defineSection } from '../section.ts'

const seconds = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

/** Retry and bounce times of the delivery queue; figures of AsyncOS's Default bounce profile. */
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
  }),
  defaults: {
    initialRetrySeconds: 60,
    maxRetrySeconds: 3600,
    maxQueueSeconds: 259_200,
    maxRetries: 100,
    maxConcurrency: 100,
    connectTimeoutSeconds: 30,
    replyTimeoutSeconds: 300,
  },
})
