import type { NewJob } from '../store/repositories/remediation.ts'
import type { RemediationSettings } from './plan.ts'

/** The blast guard: a verdict that would touch too much waits for an operator. One wrong verdict must not empty mailboxes. */
export interface GuardState {
  /** Messages of this verdict that were let through before. */
  readonly messagesBefore: number
  /** Recipients of the last hour that were let through. */
  readonly mailboxesBefore: readonly string[]
  /** Mailboxes that were ever delivered to. */
  readonly mailboxesKnown: number
}

export interface Hold {
  readonly kind: 'messages' | 'mailboxes'
  readonly reason: string
}

const count = (n: number, noun: string, plural = 's'): string => `${n} ${noun}${n === 1 ? '' : plural}`

export const guard = (jobs: readonly NewJob[], state: GuardState, settings: RemediationSettings): Hold | null => {
  if (jobs.length === 0) return null
  const messages = new Set(jobs.map((j) => j.delivery.rootMid)).size + state.messagesBefore
  if (messages > settings.guardMessages)
    return { kind: 'messages', reason: `more than ${count(settings.guardMessages, 'message')} for one verdict` }
  const mailboxes = new Set([...state.mailboxesBefore, ...jobs.map((j) => j.delivery.recipient.toLowerCase())]).size
  const share = Math.floor((state.mailboxesKnown * settings.guardMailboxPercent) / 100)
  const limit = Math.max(settings.guardMailboxes, share)
  return mailboxes > limit
    ? { kind: 'mailboxes', reason: `more than ${count(limit, 'mailbox', 'es')} in one hour` }
    : null
}
