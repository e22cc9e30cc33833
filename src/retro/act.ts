import { createHash } from 'node:crypto'
import { defangUrl } from '../core/defang.ts'
import { printable } from '../core/text.ts'
import type { EventBus } from '../events/bus.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { Retrospection, WatchStore } from '../store/repositories/watch.ts'

/** The remediation room, as far as retrospection speaks to it. */
export interface RemediationSink {
  enqueue(verdict: {
    readonly key: string
    readonly url: string
    readonly rootMids: readonly number[]
    /** Which source turned it, asked when an operator is to decide; null = nobody knows. */
    readonly cause?: () => Promise<string | null>
  }): Promise<number>
  /** The verdict went back, or came once more: what it caused is offered for undo, or stands again. */
  turn(url: string, withdrawn: boolean): Promise<void>
  pending(): number
}

const CHUNK = 5000
const ITEMS_A_LINE = 500
/** What a crash lets be handed over once more. */
const MARKED_TOGETHER = 200
const ITEMS_AN_ALERT = 100

const itemOf = (
  r: Pick<Retrospection, 'messageId' | 'rootMid' | 'url'>,
): { readonly messageId: string; readonly url: string } => ({
  messageId: r.messageId ?? `MID ${r.rootMid}`,
  url: r.url,
})

/** The alert in the reference's words, cut to what a mail can hold. */
const alertText = (items: readonly { readonly messageId: string; readonly url: string }[]): string => {
  const shown = items.slice(0, ITEMS_AN_ALERT).map((i) => `${printable(i.messageId)} : ${printable(defangUrl(i.url))}`)
  const rest = items.length - shown.length
  return [
    'URL verdict update received from retrospective service.',
    'Corresponding message ids & URLs are as follows:',
    '',
    ...shown,
    ...(rest > 0 ? [`and ${rest} more, see the ecs log.`] : []),
  ].join('\n')
}

/** The same retrospections give the same key, also after a restart between two steps. */
const keyOf = (url: string, group: readonly Retrospection[]): string => {
  const ids = group.map((r) => r.emailId).sort()
  return createHash('sha256')
    .update(`${url}\n${ids.join('\n')}`)
    .digest('hex')
}

const byUrl = (rows: readonly Retrospection[]): ReadonlyMap<string, readonly Retrospection[]> => {
  const groups = new Map<string, Retrospection[]>()
  for (const r of rows) {
    const group = groups.get(r.url)
    if (group) group.push(r)
    else groups.set(r.url, [r])
  }
  return groups
}

/**
 * Tells of the retrospections that are recorded and not yet handed on, and hands them to remediation. Each step is marked
 * after it is done, and the hand-over is repeatable, so a restart at any point goes on where it was.
 */
export const actOnRetrospections = async (
  deps: {
    readonly events: EventBus
    readonly alerts: AlertService
    readonly store: WatchStore
    readonly remediation: RemediationSink
    readonly cause: (retrospection: Retrospection) => Promise<string | null>
  },
  signal: AbortSignal,
): Promise<{ readonly retrospections: number; readonly acted: number }> => {
  const { events, alerts, store, remediation, cause } = deps
  let retrospections = 0
  let acted = 0
  for (;;) {
    signal.throwIfAborted()
    const rows = store.unhandled(CHUNK)
    if (rows.length === 0) return { retrospections, acted }
    const untold = rows.filter((r) => r.state === 'new')
    const items = untold.map(itemOf)
    for (let i = 0; i < items.length; i += ITEMS_A_LINE)
      events.publish({ type: 'ecs.verdict-update', items: items.slice(i, i + ITEMS_A_LINE) })
    if (items.length > 0) {
      alerts.raise({ class: 'URL Retrospection', severity: 'Warning', text: alertText(items) })
      await store.mark(
        untold.map((r) => r.id),
        'told',
      )
    }
    events.publish({ type: 'ecs.notifying-remediation' })
    events.publish({ type: 'ecs.remediation-notified' })
    let handed: number[] = []
    const markHanded = async (): Promise<void> => {
      if (handed.length > 0) await store.mark(handed, 'done')
      handed = []
    }
    for (const [url, group] of byUrl(rows)) {
      acted += await remediation.enqueue({
        key: keyOf(url, group),
        url,
        rootMids: group.map((r) => r.rootMid),
        cause: async () => (group[0] ? await cause(group[0]) : null),
      })
      handed.push(...group.map((r) => r.id))
      if (handed.length >= MARKED_TOGETHER) await markHanded()
    }
    await markHanded()
    events.publish({ type: 'ecs.remediation-initiated' })
    if (remediation.pending() === 0) events.publish({ type: 'ecs.remediation-idle' })
    retrospections += untold.length
  }
}

/** Hands on what has gone back to clean, or has turned once more, since it was told. Repeatable at any point. */
export const actOnTurns = async (
  {
    events,
    store,
    remediation,
  }: { readonly events: EventBus; readonly store: WatchStore; readonly remediation: RemediationSink },
  signal: AbortSignal,
): Promise<void> => {
  for (;;) {
    signal.throwIfAborted()
    const turns = store.turns(CHUNK)
    if (turns.length === 0) return
    for (const withdrawn of [true, false]) {
      const these = turns.filter((t) => t.withdrawn === withdrawn)
      if (these.length === 0) continue
      const items = these.map(itemOf)
      for (let i = 0; i < items.length; i += ITEMS_A_LINE)
        events.publish({ type: 'ecs.turned', withdrawn, items: items.slice(i, i + ITEMS_A_LINE) })
      for (const url of new Set(these.map((t) => t.url))) await remediation.turn(url, withdrawn)
      await store.turnsHandled(these)
    }
  }
}
