import { createHash } from 'node:crypto'
import type { ConfigReader } from '../config/section.ts'
import { quarantines } from '../config/sections/quarantines.ts'
import { remediation } from '../config/sections/remediation.ts'
import { urlFiltering } from '../config/sections/url-filtering.ts'
import type { Clock } from '../core/clock.ts'
import { defangUrl } from '../core/defang.ts'
import { printableCut } from '../core/text.ts'
import type { EventBus } from '../events/bus.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { NewJob, RemediationStore } from '../store/repositories/remediation.ts'
import type { Delivery, DeliveryLedger } from '../store/spool.ts'
import { guard } from './guard.ts'
import { planJobs } from './plan.ts'

export interface EnqueueDeps {
  readonly clock: Clock
  readonly config: ConfigReader
  readonly events: EventBus
  readonly alerts: AlertService
  readonly store: RemediationStore
  readonly ledger: DeliveryLedger
}

export interface UrlVerdictTurned {
  readonly key: string
  readonly url: string
  readonly rootMids: readonly number[]
  /** Which source turned it: asked when an operator is to decide. */
  readonly cause?: () => Promise<string | null>
}

const HOUR_MS = 3600_000
const WEEK_MS = 7 * 24 * HOUR_MS
const LATE_LIMIT = 2000

const add = async (
  { clock, config, events, alerts, store, ledger }: EnqueueDeps,
  { key, url, rootMids, cause }: UrlVerdictTurned,
  deliveries: readonly Delivery[],
): Promise<number> => {
  const settings = config.get(remediation)
  const now = clock.now()
  // A copy that another verdict deleted already is gone; one that was put back is not touched again for the same URL.
  const open = (j: NewJob): boolean =>
    !store
      .byDelivery(j.delivery.mid, j.delivery.rid)
      .some((old) => old.url === url || (old.state === 'done' && old.action !== 'forward'))
  const jobs = planJobs(url, deliveries, config.get(urlFiltering).marAction, settings).filter(open)
  const hold = guard(
    jobs,
    {
      messagesBefore: store.messagesOf(url, new Date(now.getTime() - WEEK_MS)),
      mailboxesBefore: store.mailboxesSince(new Date(now.getTime() - HOUR_MS)),
      mailboxesKnown: ledger.mailboxes(),
    },
    settings,
  )
  const heldFor = hold === null ? null : hold.kind === 'messages' ? `messages ${url}` : 'mailboxes'
  // What the same guard holds already takes this in: one approval, one alert.
  const joins = heldFor === null ? null : (store.waitingBatch(heldFor, new Date(now.getTime() - WEEK_MS)) ?? null)
  const source = hold === null ? null : ((await cause?.()) ?? null)
  const said = source === null ? '' : `; the verdict came from ${printableCut(source, 300)}`
  const detail = hold === null ? '' : `${hold.reason}${said}`
  const { batch, added } = await store.add({ key, url, rootMids, jobs, heldFor, joins, detail, at: now })
  if (hold && added > 0) {
    const messages = new Set(jobs.map((j) => j.delivery.mid)).size
    const mailboxes = new Set(jobs.map((j) => j.delivery.recipient.toLowerCase())).size
    events.publish({ type: 'remediation.held', batch, messages, mailboxes, reason: detail })
    if (joins === null)
      alerts.raise({
        class: 'Remediation',
        severity: 'Warning',
        text:
          `Mailbox remediation batch ${batch} waits for approval: ${detail}. ` +
          `Messages: ${messages}, mailboxes: ${mailboxes}, URL: ${printableCut(defangUrl(url), 500)}. ` +
          `See 'remediation list ${batch}', then 'remediation approve ${batch}' or 'remediation deny ${batch}'.`,
      })
  }
  return added
}

/** A verdict becomes a batch of jobs, which runs or waits. Repeatable by the verdict's key. */
export const enqueueVerdict = async (deps: EnqueueDeps, verdict: UrlVerdictTurned): Promise<number> => {
  const { config, clock, ledger, store } = deps
  if (!config.get(urlFiltering).marEnabled || store.batchOf(verdict.key) !== undefined) return 0
  const deliveries = verdict.rootMids.flatMap((mid) => ledger.byRoot(mid))
  if (!config.get(remediation).sameSubject) return await add(deps, verdict, deliveries)
  const since = new Date(clock.now().getTime() - WEEK_MS)
  const subjects = new Set(deliveries.filter((d) => d.direction === 'incoming').map((d) => d.subject))
  subjects.delete('')
  const alike = [...subjects].flatMap((subject) => ledger.bySubject(subject, since))
  return await add(deps, verdict, [...deliveries, ...alike])
}

/** A message can wait so long before it is delivered: in the queue, or for the longest retention of a quarantine besides. */
const lateMs = (config: ConfigReader): number =>
  WEEK_MS + Math.max(0, ...config.get(quarantines).map((q) => q.retentionHours)) * HOUR_MS

/** Copies that were delivered after the verdict came (queue, quarantine) are found by the verdicts that are kept. */
export const enqueueLate = async (deps: EnqueueDeps): Promise<number> => {
  const { config, clock, ledger, store } = deps
  if (!config.get(urlFiltering).marEnabled) return 0
  let added = 0
  for (const { url, rootMid } of store.verdicts(new Date(clock.now().getTime() - lateMs(config)), LATE_LIMIT)) {
    const late = ledger
      .byRoot(rootMid)
      .filter((d) => d.direction === 'incoming' && !store.byDelivery(d.mid, d.rid).some((j) => j.url === url))
    if (late.length === 0) continue
    const copies = late.map((d) => `${d.mid}/${d.rid}`).join(' ')
    const key = createHash('sha256').update(`late ${url} ${copies}`).digest('hex')
    if (store.batchOf(key) === undefined) added += await add(deps, { key, url, rootMids: [rootMid] }, late)
  }
  return added
}
