import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const seconds = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const choice = () => v.picklist(['yes', 'no', 'default'])

export const bounceProfile = v.object({
  /** `Default` is no entry here: it is the section `delivery`. */
  name: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9_.-]{1,64}$/),
    v.check((name) => name.toLowerCase() !== 'default', 'Default is the built-in profile'),
  ),
  maxRetries: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
  maxQueueSeconds: seconds(60, 2_592_000),
  initialRetrySeconds: seconds(1, 86_400),
  maxRetrySeconds: seconds(1, 86_400),
  /** A message for each hard bounce. */
  sendBounces: choice(),
  /** RFC 3464, else plain text. */
  dsnFormat: choice(),
  /** A message when it is still undelivered after `warningSeconds`, and again, `warningCount` times in all. */
  sendWarnings: choice(),
  warningSeconds: seconds(60, 2_592_000),
  warningCount: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
  /** Takes bounces and warnings instead of the sender. */
  alternateAddress: v.nullable(v.pipe(v.string(), v.minLength(3), v.maxLength(254))),
})
export type BounceProfile = v.InferOutput<typeof bounceProfile>

/** `bounceconfig`: profiles that destconfig and listeners name. */
export const bounceProfiles = defineSection<BounceProfile[]>({
  name: 'bounce_profiles',
  version: 1,
  schema: v.array(bounceProfile),
  defaults: [],
  verify: (profiles) => uniqueNames('bounce_profiles', profiles),
})
