import { mailPolicies } from '../../config/sections/mail-policies.ts'
import { splitByPolicy } from '../policy/match.ts'
import type { Stage } from '../pipeline/stage.ts'

/** Groups the recipients by mail policy; more than one policy splits the message. */
export const mailPolicyStage: Stage = {
  name: 'mail-policy',
  enabled: () => true,
  process: async ({ entry }, ctx) => {
    const table = ctx.config.get(mailPolicies)[entry.direction]
    return { next: 'policy', parts: splitByPolicy(table, entry.sender, entry.recipients) }
  },
}
