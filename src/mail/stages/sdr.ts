import { listeners } from '../../config/sections/listeners.ts'
import { sdr } from '../../config/sections/sdr.ts'
import type { SenderReputation } from '../../intel/sdr/port.ts'
import type { SenderQuery } from '../../intel/verdict.ts'
import { addressesIn, domainOf } from '../message/addresses.ts'
import type { HeaderAddress } from '../message/addresses.ts'
import type { Message, Stage } from '../pipeline/stage.ts'
import { flowOfMessage } from '../smtp/host-access.ts'

const firstDomain = (addresses: readonly HeaderAddress[]): string | null =>
  addresses.map((a) => domainOf(a.address)).find((d) => d !== null) ?? null

/** What the sender is judged by; user parts and display names only with Include Additional Attributes. */
const queryOf = (
  { entry, findings }: Message,
  from: readonly HeaderAddress[],
  replyTo: readonly HeaderAddress[],
  additional: boolean,
): SenderQuery => {
  const both = [...from, ...replyTo]
  return {
    remoteAddress: entry.remoteAddress,
    reverseHost: entry.reverseHost,
    helo: entry.helo === '' ? null : entry.helo,
    envelopeFrom: domainOf(entry.sender),
    headerFrom: firstDomain(from),
    replyTo: firstDomain(replyTo),
    ...(findings.spf ? { spf: findings.spf.mailfrom } : {}),
    ...(findings.dkim ? { dkim: findings.dkim } : {}),
    ...(findings.dmarc ? { dmarc: findings.dmarc } : {}),
    ...(additional
      ? {
          userParts: both
            .map((a) => a.address.slice(0, Math.max(0, a.address.lastIndexOf('@'))))
            .filter((u) => u !== ''),
          displayNames: both.map((a) => a.name).filter((n) => n !== ''),
        }
      : {}),
  }
}

/** Sender Domain Reputation of accepted incoming mail, before the mail policy is determined. */
export const sdrStage = (reputation: SenderReputation): Stage => ({
  name: 'sdr',
  enabled: (message, ctx) =>
    message.entry.direction === 'incoming' && (flowOfMessage(ctx.config.get(listeners), message.entry)?.sdr ?? true),
  process: async (message, ctx) => {
    const { enabled, additionalAttributes } = ctx.config.get(sdr)
    const from = addressesIn(message.parsed.headers, 'from')
    const replyTo = addressesIn(message.parsed.headers, 'reply-to')
    // Judged by a part of its addresses, a message could choose by which.
    if (enabled && (from.cut || replyTo.cut)) {
      const reason = 'the message has too many addresses'
      ctx.events.publish({ type: 'sdr.unscanned', mid: message.entry.mid, reason })
      return { next: 'continue', findings: { sdr: { kind: 'unscanned', reason } } }
    }
    const query = queryOf(message, from.found, replyTo.found, additionalAttributes)
    const result = await reputation.judge('headers', message.entry.mid, query, ctx.signal)
    return { next: 'continue', findings: { sdr: result } }
  },
})
