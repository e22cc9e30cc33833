import type { SenderLevel } from '../../events/levels.ts'

/**
 * What the answers of DNS lists of domains mean, by their publishers' tables; docs/intelligence/verdicts.md has ours. An
 * address that is no listing (blocked, too many questions, asked wrongly) is a fault of the list's use, never a verdict.
 */
export type DnsListAnswer =
  | { readonly kind: 'listed'; readonly level: SenderLevel; readonly category: string; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }

interface Meaning {
  readonly level: SenderLevel
  readonly category: string
  readonly says: string
}

export interface DnsListForm {
  /** A domain that is always listed: whoever gets no answer for it is not served. */
  readonly testPoint: string
  readonly read: (address: string) => DnsListAnswer
}

const refused = (reason: string): DnsListAnswer => ({ kind: 'refused', reason })
const listed = ({ level, category, says }: Meaning, address: string): DnsListAnswer => ({
  kind: 'listed',
  level,
  category,
  reason: `listed as ${says} (${address})`,
})

const ERRORS: Readonly<Record<string, string>> = {
  '127.255.255.252': 'the zone is misspelt',
  '127.255.255.254': 'it does not answer questions from public or unnamed resolvers',
  '127.255.255.255': 'too many questions were asked',
}

/** Answers that mean the same for every list. */
const fault = (address: string): DnsListAnswer | null => {
  if (!address.startsWith('127.'))
    return refused(`${address} is no answer of a DNS list: the resolver makes answers up, or the zone is gone`)
  if (address.startsWith('127.255.255.')) return refused(`${ERRORS[address] ?? 'it reports an error'} (${address})`)
  return null
}

const DBL: Readonly<Record<number, Meaning>> = {
  2: { level: 'poor', category: 'Spam', says: 'spam' },
  4: { level: 'awful', category: 'Phishing', says: 'phishing' },
  5: { level: 'awful', category: 'Malware', says: 'malware' },
  6: { level: 'awful', category: 'Botnet', says: 'botnet control' },
  102: { level: 'weak', category: 'Spam', says: 'an abused legitimate domain, spam' },
  103: { level: 'weak', category: 'Spam', says: 'an abused redirector' },
  104: { level: 'tainted', category: 'Phishing', says: 'an abused legitimate domain, phishing' },
  105: { level: 'tainted', category: 'Malware', says: 'an abused legitimate domain, malware' },
  106: { level: 'tainted', category: 'Botnet', says: 'an abused legitimate domain, botnet control' },
}
const DBL_ADDRESS_ASKED = 255

const dbl: DnsListForm = {
  testPoint: 'dbltest.com',
  read: (address) => {
    const wrong = fault(address)
    if (wrong) return wrong
    const code = /^127\.0\.1\.(\d{1,3})$/.exec(address)?.[1]
    if (code === undefined) return refused(`${address} is not an answer of this form`)
    if (Number(code) === DBL_ADDRESS_ASKED) return refused(`it holds no addresses (${address})`)
    const meaning = DBL[Number(code)] ?? { level: 'weak', category: 'Spam', says: 'something new' }
    return listed(meaning, address)
  },
}

/** Bits of the last byte, the worst first. */
const SURBL: readonly (readonly [number, Meaning])[] = [
  [8, { level: 'awful', category: 'Phishing', says: 'phishing' }],
  [16, { level: 'awful', category: 'Malware', says: 'malware' }],
  [64, { level: 'poor', category: 'Spam', says: 'spam' }],
  [128, { level: 'tainted', category: 'Malware', says: 'a cracked site' }],
  [32, { level: 'weak', category: 'Spam', says: 'click tracking' }],
  [4, { level: 'weak', category: 'Spam', says: 'disposable mail' }],
]

const surbl: DnsListForm = {
  testPoint: 'surbl-org-permanent-test-point.com',
  read: (address) => {
    const wrong = fault(address)
    if (wrong) return wrong
    const mask = /^127\.0\.0\.(\d{1,3})$/.exec(address)?.[1]
    if (mask === undefined) return refused(`${address} is not an answer of this form`)
    // Bit 1 is no list: 127.0.0.1 is the answer to those who may not ask.
    if ((Number(mask) & 1) === 1) return refused(`it does not serve this resolver (${address})`)
    const bits = SURBL.filter(([bit]) => (Number(mask) & bit) !== 0).map(([, meaning]) => meaning)
    const [worst] = bits
    if (worst === undefined) return listed({ level: 'weak', category: 'Spam', says: 'something new' }, address)
    return listed({ ...worst, says: bits.map((m) => m.says).join(', ') }, address)
  },
}

export const DNS_LIST_FORMS = { 'dns-dbl': dbl, 'dns-surbl': surbl } as const satisfies Record<string, DnsListForm>
