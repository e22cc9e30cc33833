import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'

const bounceKey = v.object({
  /** In the tag, so that the key is found again. */
  number: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(9)),
  key: secretText(),
  /** Seconds since 1970. */
  madeAt: v.pipe(v.number(), v.integer(), v.minValue(0)),
})
export type BounceKey = v.InferOutput<typeof bounceKey>

export const UNTAGGED = ['accept', 'reject'] as const

/** `bvconfig`: bounces are believed when they come to a return path that we signed. */
export const bounceVerification = defineSection({
  name: 'bounce_verification',
  version: 1,
  schema: v.object({
    tagOutgoing: v.boolean(),
    /** What becomes of a bounce to an address of ours without a valid tag. */
    untagged: v.picklist(UNTAGGED),
    /** The last one signs, all verify. */
    keys: v.pipe(v.array(bounceKey), v.maxLength(10)),
  }),
  defaults: { tagOutgoing: false, untagged: 'accept', keys: [] as BounceKey[] },
  verify: ({ tagOutgoing, untagged, keys }) => {
    const issue = (message: string, severity: Issue['severity']): Issue => ({
      path: 'bounce_verification',
      message,
      severity,
    })
    const twice = new Set(keys.map((k) => k.number)).size < keys.length
    const keyless = keys.length === 0 && (tagOutgoing || untagged === 'reject')
    return [
      ...(twice ? [issue('Two keys of bounce verification have the same number.', 'error')] : []),
      ...(keyless ? [issue('Bounce verification has no key. Make one with bvconfig, KEY.', 'error')] : []),
      ...(untagged === 'reject' && !tagOutgoing
        ? [issue('Untagged bounces are refused while outgoing mail is not tagged: every bounce is refused.', 'warning')]
        : []),
    ]
  },
})
