import type { ConfigReader } from '../../config/section.ts'
import { addressLists } from '../../config/sections/address-lists.ts'
import { sdr } from '../../config/sections/sdr.ts'
import { domainListMatcher } from '../domain-list.ts'
import type { SenderQuery } from '../verdict.ts'

/**
 * The global domain exception list. With the setting on, the domain of the Envelope From decides; off, any of the
 * domains that would be submitted (intelligence.md §3a, 15.0 and later).
 */
export const createExceptions = (config: ConfigReader) => {
  let last: { readonly entries: readonly string[]; readonly matches: (domain: string) => boolean } | null = null
  return (query: SenderQuery): { readonly domain: string; readonly list: string } | null => {
    const { exceptionList: list, exceptionMatchEnvelopeOnly } = config.get(sdr)
    if (list === null) return null
    const entries = config.get(addressLists).find((l) => l.name === list)?.entries
    if (!entries) return null
    if (last?.entries !== entries) last = { entries, matches: domainListMatcher(entries) }
    const candidates = exceptionMatchEnvelopeOnly
      ? [query.envelopeFrom]
      : [query.envelopeFrom, query.headerFrom, query.replyTo, query.helo, query.reverseHost]
    const domain = candidates.find((d) => d !== null && last?.matches(d))
    return typeof domain === 'string' ? { domain, list } : null
  }
}
