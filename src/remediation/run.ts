import type { Env } from '../core/env.ts'
import { withDeadline } from '../core/deadline.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { RemediationEvent, RemediationStatus } from '../events/remediation.ts'
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
  /** What is told of the new state is stored with it: told now, and once more at the next start if a crash comes first. */
  const update = async (change: Partial<JobUpdate>, news: readonly RemediationEvent[] = []): Promise<void> => {
    last = { ...last, ...change }
    const { state, attempts, nextAttemptAt, detail, targets, held } = last
    await store.update(job.id, { state, attempts, nextAttemptAt, detail, targets, held, at: env.clock.now() }, news)
    for (const event of news) events.publish(event)
  }
  const end = (state: 'done' | 'skipped', detail: string, news: readonly RemediationEvent[]): Promise<void> =>
    update({ state, detail, nextAttemptAt: null }, news)
  const result = (profile: string, status: RemediationStatus): RemediationEvent => ({
    type: 'remediation.result',
    mid,
    recipient,
    action,
    profile,
    status,
  })

  const skip = (reason: string): Promise<void> =>
    end('skipped', reason, [
      { type: 'remediation.skipped', mid, recipient, profile: job.profile, reason },
      ...(job.profile === null ? [] : [result(job.profile, 'Skipped')]),
    ])

  const act = async (profile: string, provider: MailboxProvider, s: AbortSignal): Promise<void> => {
    const remedy = remedyOf(job, deps.forwardTo)
    let done = 0
    const left: Target[] = []
    let trouble: Postponed | null = null
    for (const target of last.targets ?? []) {
      const outcome = await provider.remedy(target, remedy, job.delivery, s)
      // A provider that answers after the deadline speaks to nobody: the next attempt asks again.
      s.throwIfAborted()
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
    await end('done', last.held.length > 1 ? `${last.held.length} copies` : '', [
      ...(remedy.kind === 'forward' ? [{ type: 'remediation.forwarded', mid, recipient, to: remedy.to } as const] : []),
      ...(remedy.kind === 'delete' || remedy.thenDelete
        ? [{ type: 'remediation.deleted', mid, recipient } as const]
        : []),
      { type: 'remediation.succeeded', mid, recipient, profile },
      result(profile, 'Remediated'),
    ])
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
  if (job.delivery.messageId === null && deps.provider(profile)?.findsWithoutId !== true)
    return await skip('the message has no Message-ID to find it by')
  const other = store
    .byDelivery(mid, job.delivery.rid)
    .find((j) => j.id !== job.id && j.state === 'done' && j.action !== 'forward')
  if (other && last.targets === null) return await end('done', `deleted by job ${other.id}`, [])
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
    const told: RemediationEvent = { type: 'remediation.failed', mid, recipient, profile, error: text, willRetry }
    if (willRetry) {
      await update({ attempts, detail: text, nextAttemptAt: next })
      events.publish(told)
      return
    }
    await update({ attempts, detail: text, state: 'failed', nextAttemptAt: null }, [told, result(profile, 'Failed')])
    deps.alerts.raise({
      class: 'Remediation',
      severity: 'Warning',
      text: `Mailbox remediation of batch ${job.batch} failed with the profile ${profile}: ${text}. See 'remediation list ${job.batch}'.`,
    })
  }
}
