import type { Env } from '../core/env.ts'
import { withDeadline } from '../core/deadline.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { JobUpdate, RemediationStore, StoredJob, Target } from '../store/repositories/remediation.ts'
import { REMEDY_NAMES } from './plan.ts'
import type { Found, MailboxProvider, Remedy } from './ports.ts'

export interface RunDeps {
  readonly env: Env
  readonly events: EventBus
  readonly alerts: AlertService
  readonly store: RemediationStore
  /** The provider behind a profile; undefined = the profile is gone. */
  readonly provider: (profile: string) => MailboxProvider | undefined
  readonly maxAttempts: number
  readonly forwardTo: string | null
}

const TIME_OUT_MS = 60_000
const FIRST_RETRY_MS = 30_000
const LONGEST_RETRY_MS = 3600_000
const MAX_COPIES = 100

/** A try that may go better later. */
class Postponed extends Error {
  readonly retryAfterMs: number
  constructor(reason: string, retryAfterMs = 0) {
    super(reason)
    this.retryAfterMs = retryAfterMs
  }
}

const remedyOf = (job: StoredJob, forwardTo: string | null): Remedy => {
  if (job.action === 'delete') return { kind: 'delete' }
  if (forwardTo === null) throw new Postponed('No forwarding address is set; set it with websecurityconfig')
  return { kind: 'forward', to: forwardTo, thenDelete: job.action === 'forward_and_delete' }
}

const search = async (provider: MailboxProvider, job: StoredJob, signal: AbortSignal): Promise<readonly Found[]> => {
  const found: Found[] = []
  for await (const copy of provider.find(job.delivery, signal)) {
    found.push(copy)
    if (found.length >= MAX_COPIES) break
  }
  return found
}

/**
 * One attempt at one job. What it is about to touch is recorded before it is touched, and a provider answers a repeated
 * call without acting again: a job that a crash cut short goes on, and is done once.
 */
export const runJob = async (job: StoredJob, deps: RunDeps, signal: AbortSignal): Promise<void> => {
  const { env, events, store } = deps
  const { mid, recipient } = job.delivery
  const action = REMEDY_NAMES[job.action]
  let last: Omit<JobUpdate, 'at'> = { ...job, nextAttemptAt: job.nextAttemptAt }
  const update = async (change: Partial<JobUpdate>): Promise<void> => {
    last = { ...last, ...change }
    const { state, attempts, nextAttemptAt, detail, targets, held } = last
    await store.update(job.id, { state, attempts, nextAttemptAt, detail, targets, held, at: env.clock.now() })
  }
  const end = (state: 'done' | 'failed' | 'skipped', detail: string): Promise<void> =>
    update({ state, detail, nextAttemptAt: null })

  const skip = async (reason: string): Promise<void> => {
    await end('skipped', reason)
    events.publish({ type: 'remediation.skipped', mid, recipient, profile: job.profile, reason })
    if (job.profile !== null)
      events.publish({ type: 'remediation.result', mid, recipient, action, profile: job.profile, status: 'Skipped' })
  }

  const act = async (profile: string, provider: MailboxProvider, s: AbortSignal): Promise<void> => {
    const remedy = remedyOf(job, deps.forwardTo)
    let done = 0
    const left: Target[] = []
    let trouble: Postponed | null = null
    for (const target of last.targets ?? []) {
      const outcome = await provider.remedy(target, remedy, job.delivery, s)
      if (outcome.status === 'done') {
        done += 1
        if (outcome.held !== null && !last.held.includes(outcome.held))
          last = { ...last, held: [...last.held, outcome.held] }
      } else if (outcome.status !== 'not-found') {
        left.push(target)
        trouble = new Postponed(outcome.detail, outcome.retryAfterMs)
      }
    }
    if (trouble) {
      await update({ targets: left })
      throw trouble
    }
    if (done === 0 && last.held.length === 0) {
      // Moved or deleted by the user since it was found: look again, from the start, at the next attempt.
      await update({ targets: null })
      throw new Postponed('the message moved while it was being handled', 1000)
    }
    await end('done', last.held.length > 1 ? `${last.held.length} copies` : '')
    if (remedy.kind === 'forward') events.publish({ type: 'remediation.forwarded', mid, recipient, to: remedy.to })
    if (remedy.kind === 'delete' || remedy.thenDelete) events.publish({ type: 'remediation.deleted', mid, recipient })
    events.publish({ type: 'remediation.succeeded', mid, recipient, profile })
    events.publish({ type: 'remediation.result', mid, recipient, action, profile, status: 'Remediated' })
  }

  const attempt = async (profile: string, s: AbortSignal): Promise<void> => {
    const provider = deps.provider(profile)
    if (!provider) throw new Postponed(`the mailbox profile '${profile}' does not exist any more`)
    if (last.targets === null) {
      const found = await search(provider, job, s)
      const confirmed = found.filter((f) => f.confirmed)
      if (found.length === 0) return await skip('the message was not found in the mailbox')
      if (confirmed.length === 0) return await skip(found[0]?.evidence ?? 'not confirmed')
      await update({ targets: confirmed, attempts: job.attempts + 1 })
    } else await update({ attempts: job.attempts + 1 })
    await act(profile, provider, s)
  }

  const { profile } = job
  if (profile === null) return await skip('no mailbox profile is mapped to the domain')
  if (job.delivery.messageId === null) return await skip('the message has no Message-ID to find it by')
  const other = store
    .byDelivery(mid, job.delivery.rid)
    .find((j) => j.id !== job.id && j.state === 'done' && j.action !== 'forward')
  if (other && last.targets === null) return await end('done', `deleted by job ${other.id}`)
  try {
    await withDeadline(env.clock, TIME_OUT_MS, signal, (s) => attempt(profile, s))
  } catch (error) {
    signal.throwIfAborted()
    const attempts = job.attempts + 1
    const willRetry = attempts < deps.maxAttempts
    const text = errorText(error)
    const grown = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_RETRY_MS)
    const asked = error instanceof Postponed ? Math.min(error.retryAfterMs, LONGEST_RETRY_MS) : 0
    const wait = asked > 0 ? asked : grown * (0.75 + env.entropy.int(501) / 1000)
    const next = new Date(env.clock.now().getTime() + wait)
    await update({
      attempts,
      detail: text,
      ...(willRetry ? { nextAttemptAt: next } : { state: 'failed', nextAttemptAt: null }),
    })
    events.publish({ type: 'remediation.failed', mid, recipient, profile, error: text, willRetry })
    if (willRetry) return
    events.publish({ type: 'remediation.result', mid, recipient, action, profile, status: 'Failed' })
    deps.alerts.raise({
      class: 'Remediation',
      severity: 'Warning',
      text: `Mailbox remediation of batch ${job.batch} failed with the profile ${profile}: ${text}. See 'remediation list ${job.batch}'.`,
    })
  }
}
