import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

const callAheadProfile = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  /** Asked in this order, as smtproutes writes hosts; empty = where mail for the recipient's domain is delivered. */
  hosts: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(255))), v.maxLength(10)),
  /** '' = the null sender. */
  mailFrom: v.pipe(v.string(), v.maxLength(320)),
  /** For the whole of a validation. */
  timeoutSeconds: whole(1, 300),
  /** No answer about the recipient: it is taken, or refused for now. */
  validationFailure: v.picklist(['accept', 'reject']),
  /** The host refuses the recipient for now (4xx): it is taken, or refused with the same code. */
  temporaryFailure: v.picklist(['accept', 'reject']),
  maxConnections: whole(1, 1000),
  /** Validations that run or wait at the same time; more than that count as failures. */
  maxQueries: whole(1, 100_000),
  cacheSize: whole(100, 1_000_000),
  /** How long an answer counts: of a recipient that there is, and of one that there is not. */
  cacheSeconds: whole(1, 86_400),
  negativeCacheSeconds: whole(1, 86_400),
})
export type CallAheadProfile = v.InferOutput<typeof callAheadProfile>

export const newCallAheadProfile = (name: string): CallAheadProfile => ({
  name,
  hosts: [],
  mailFrom: '',
  timeoutSeconds: 30,
  validationFailure: 'accept',
  temporaryFailure: 'reject',
  maxConnections: 5,
  maxQueries: 1000,
  cacheSize: 10_000,
  cacheSeconds: 900,
  negativeCacheSeconds: 900,
})

/** `callaheadconfig`: how the next hop is asked whether a recipient is one. */
export const callAhead = defineSection({
  name: 'call_ahead',
  version: 1,
  schema: v.pipe(v.array(callAheadProfile), v.maxLength(100)),
  defaults: [] as CallAheadProfile[],
  verify: (all) => uniqueNames('call_ahead', all),
})
