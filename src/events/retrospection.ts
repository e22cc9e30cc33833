import type { PyValue } from '../core/python.ts'

/** The `ecs` log: registration, polling, retrospections, pruning. One event a line, in the words of the reference (2023 form). */
export type RetrospectionEvent =
  | { readonly type: 'ecs.poller-starting' }
  | { readonly type: 'ecs.cloud-polling-starting' }
  | { readonly type: 'ecs.remediation-notified' }
  | { readonly type: 'ecs.remediation-initiated' }
  | { readonly type: 'ecs.remediation-idle' }
  | { readonly type: 'ecs.pruning-starting' }
  | { readonly type: 'ecs.pruned'; readonly urls: number }
  | { readonly type: 'ecs.retro-polling-starting' }
  | { readonly type: 'ecs.poll-started' }
  | { readonly type: 'ecs.query'; readonly url: string; readonly parameters: { readonly [key: string]: PyValue } }
  /** Every HTTP answer: `response` is null when the log leaves the body out (201). */
  | { readonly type: 'ecs.http'; readonly url: string; readonly status: number; readonly response: string | null }
  | { readonly type: 'ecs.query-failed'; readonly reason: string }
  | { readonly type: 'ecs.registering'; readonly url: string; readonly payload: { readonly [key: string]: PyValue } }
  | { readonly type: 'ecs.registered' }
  | { readonly type: 'ecs.token-stored' }
  | { readonly type: 'ecs.registration-status-updated' }
  | { readonly type: 'ecs.registration-failed'; readonly reason: string }
  | { readonly type: 'ecs.token-retry' }
  | { readonly type: 'ecs.response'; readonly response: PyValue }
  | { readonly type: 'ecs.none-found' }
  | { readonly type: 'ecs.poll-finished' }
  /** The alert text: message ids with the URL, defanged when rendered. Only retrospections that are new. */
  | {
      readonly type: 'ecs.verdict-update'
      readonly items: readonly { readonly messageId: string; readonly url: string }[]
    }
  | { readonly type: 'ecs.notifying-remediation' }
  | { readonly type: 'ecs.submitted'; readonly urls: number }
  | { readonly type: 'ecs.submission-failed'; readonly reason: string }
  | { readonly type: 'ecs.ignored'; readonly url: string; readonly reason: string }
  /** The verdict of these went back to clean, or turned malicious once more. */
  | {
      readonly type: 'ecs.turned'
      readonly withdrawn: boolean
      readonly items: readonly { readonly messageId: string; readonly url: string }[]
    }
  /** The service's clock is so far ahead of ours (negative: behind it); 0 = no more. */
  | { readonly type: 'ecs.clock-skew'; readonly seconds: number }
  | { readonly type: 'ecs.stopped' }
