import type { EventOf } from '../../../events/event.ts'
import type { SenderLevel } from '../../../events/levels.ts'
import type { SdrEvent } from '../../../events/sdr.ts'
import { info, line, toMailLogs } from '../../line.ts'
import type { LogTable } from '../../line.ts'

/** The inner scale in the words of either vocabulary (issue 2 §5; docs/intelligence/sdr.md). */
const THREAT_LEVEL: Readonly<Record<SenderLevel, string>> = {
  awful: 'Untrusted',
  poor: 'Questionable',
  tainted: 'Questionable',
  weak: 'Neutral',
  neutral: 'Neutral',
  favorable: 'Favorable',
  trusted: 'Trusted',
  unknown: 'Unknown',
}
const REPUTATION: Readonly<Record<SenderLevel, string>> = {
  awful: 'Awful',
  poor: 'Poor',
  tainted: 'Tainted',
  weak: 'Weak',
  neutral: 'Neutral',
  favorable: 'Good',
  trusted: 'Good',
  unknown: 'Unknown',
}

const count = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`

/** 209 → `6 months 29 days`: years of 365 days, months of 30. */
export const domainAge = (days: number): string => {
  const years = Math.floor(days / 365)
  const months = Math.floor((days % 365) / 30)
  const rest = (days % 365) % 30
  const parts = [
    ...(years > 0 ? [count(years, 'year')] : []),
    ...(months > 0 ? [count(months, 'month')] : []),
    ...(rest > 0 ? [count(rest, 'day')] : []),
  ]
  return parts.length > 0 ? parts.join(' ') : '0 days'
}

/** The reference's `1 month 1 day` is the longest that is spelt out; older domains are mature. */
const MATURE_AFTER_DAYS = 31
const maturity = (days: number): string => (days > MATURE_AFTER_DAYS ? '30 days (or greater)' : domainAge(days))

const present = (name: string | null): string => name ?? 'Not Present'

const verdict = (e: EventOf<'sdr.verdict'>): string => {
  const newer = e.vocabulary === 'threat_level'
  const head = newer
    ? `Consolidated Sender Threat Level: ${THREAT_LEVEL[e.level]}`
    : `Consolidated Sender Reputation: ${REPUTATION[e.level]}`
  const suspected = e.suspected.length > 0 ? e.suspected.join(', ') : 'N/A (other reasons for verdict)'
  const age = e.ageDays === null ? 'unknown' : newer ? maturity(e.ageDays) : domainAge(e.ageDays)
  return (
    line`MID ${e.mid} SDR: ${head}, Threat Category: ${e.category ?? 'N/A'}, Suspected Domain(s) : ${suspected}. ` +
    line`${newer ? 'Sender Maturity' : 'Youngest Domain Age'}: ${age} for domain: ${e.ageDomain ?? 'N/A'}`
  )
}

/** Sender Domain Reputation lines. */
export const sdrLines: LogTable<SdrEvent['type']> = {
  'sdr.requested': toMailLogs((e) =>
    info(
      line`MID ${e.mid} SDR: Domains for which SDR is requested: reverse DNS host: ${present(e.reverseHost)}, ` +
        line`helo: ${present(e.helo)}, env-from: ${present(e.envelopeFrom)}, header-from: ${present(e.headerFrom)}, ` +
        line`reply-to: ${present(e.replyTo)}`,
    ),
  ),
  'sdr.verdict': toMailLogs((e) => info(verdict(e))),
  'sdr.unscanned': toMailLogs((e) =>
    info(line`MID ${e.mid} SDR: Message was not scanned for Sender Domain Reputation. Reason: ${e.reason}`),
  ),
  'sdr.excepted': toMailLogs((e) =>
    info(line`MID ${e.mid} SDR: Query was not made: domain ${e.domain} is on the domain exception list ${e.list}`),
  ),
  'sdr.tracker': toMailLogs((e) => info(line`MID ${e.mid} SDR: Tracker Header : ${e.tracker}`)),
}
