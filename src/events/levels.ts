/** The one inner scale of sender reputation, worst first; both vocabularies are views of it (docs/intelligence/sdr.md). */
export const SENDER_LEVELS = ['awful', 'poor', 'tainted', 'weak', 'neutral', 'favorable', 'trusted', 'unknown'] as const
export type SenderLevel = (typeof SENDER_LEVELS)[number]

/** The levels of URLs and of the newer sender vocabulary. */
export const THREAT_LEVELS = ['untrusted', 'questionable', 'neutral', 'favorable', 'trusted', 'unknown'] as const
export type ThreatLevel = (typeof THREAT_LEVELS)[number]
