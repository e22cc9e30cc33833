import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const contentFilter = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  description: v.string(),
  /** `or`: one condition is enough; `and`: all must match. No condition = always. */
  logic: v.picklist(['or', 'and']),
  /** Each a test of the filter language: `url-reputation(-10.0, -6.0, "")`. */
  conditions: v.array(v.string()),
  /** Each an action of the filter language: `quarantine("Policy")`. A final action stands last. */
  actions: v.array(v.string()),
})
export type ContentFilter = v.InferOutput<typeof contentFilter>

export const mailPolicy = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  /** `user@example.com`, `user@`, `@example.com`, `@.example.com`; empty = any sender. */
  senders: v.array(v.string()),
  recipients: v.array(v.string()),
  /** Names of content filters that run for this policy; the order is that of the table's list. */
  contentFilters: v.array(v.string()),
})
export type MailPolicy = v.InferOutput<typeof mailPolicy>

const table = v.object({
  /** Top to bottom, first match wins; recipients of none fall to DEFAULT. */
  policies: v.array(mailPolicy),
  /** Content filters of the DEFAULT policy. */
  defaultContentFilters: v.array(v.string()),
  contentFilters: v.array(contentFilter),
})
export type PolicyTable = v.InferOutput<typeof table>
const empty: PolicyTable = { policies: [], defaultContentFilters: [], contentFilters: [] }

const verifyTable = (name: 'incoming' | 'outgoing', t: PolicyTable): readonly Issue[] => {
  const known = new Set(t.contentFilters.map((f) => f.name))
  const missing = (policy: string, filters: readonly string[]): readonly Issue[] =>
    filters.flatMap((f) =>
      known.has(f)
        ? []
        : [
            {
              path: `mail_policies.${name}.${policy}`,
              message: `Policy '${policy}' uses the content filter '${f}', which does not exist.`,
              severity: 'error' as const,
            },
          ],
    )
  return [
    ...uniqueNames(`mail_policies.${name}.policies`, [...t.policies, { name: 'DEFAULT' }]),
    ...uniqueNames(`mail_policies.${name}.contentFilters`, t.contentFilters),
    ...missing('DEFAULT', t.defaultContentFilters),
    ...t.policies.flatMap((p) => missing(p.name, p.contentFilters)),
  ]
}

/** `policyconfig`: incoming = the connection was accepted, outgoing = it was relayed. */
export const mailPolicies = defineSection({
  name: 'mail_policies',
  version: 1,
  schema: v.object({ incoming: table, outgoing: table }),
  defaults: { incoming: empty, outgoing: empty },
  verify: (value) => [...verifyTable('incoming', value.incoming), ...verifyTable('outgoing', value.outgoing)],
})
