import type { MarAction } from '../config/sections/url-filtering.ts'
import type { remediation } from '../config/sections/remediation.ts'
import { splitAddress } from '../core/mailbox-path.ts'
import type { RemedyName } from '../events/remediation.ts'
import type { NewJob } from '../store/repositories/remediation.ts'
import type { Delivery } from '../store/spool.ts'

export type RemediationSettings = typeof remediation.defaults

/** The mapping of the recipient's domain, else the default mapping `ALL`, else none. */
export const profileFor = (recipient: string, settings: RemediationSettings): string | null => {
  const domain = splitAddress(recipient).domain.toLowerCase()
  const mapped =
    settings.domainMap.find((m) => m.domain.toLowerCase() === domain) ??
    settings.domainMap.find((m) => m.domain.toUpperCase() === 'ALL')
  return mapped?.profile ?? null
}

/** One job for each copy that was delivered to somebody of ours. */
export const planJobs = (
  url: string,
  deliveries: readonly Delivery[],
  action: MarAction,
  settings: RemediationSettings,
): readonly NewJob[] => {
  const seen = new Set<string>()
  return deliveries.flatMap((delivery) => {
    const copy = `${delivery.mid} ${delivery.rid}`
    if (delivery.direction !== 'incoming' || seen.has(copy)) return []
    seen.add(copy)
    return [{ url, delivery, action, profile: profileFor(delivery.recipient, settings) }]
  })
}

export const REMEDY_NAMES: Readonly<Record<MarAction, RemedyName>> = {
  delete: 'Delete',
  forward: 'Forward',
  forward_and_delete: 'Forward and Delete',
}
