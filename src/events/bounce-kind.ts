/** Why a recipient was given up, as `status detail` and `hoststatus` count it. */
export type BounceKind = 'dns' | 'refused' | 'expired' | 'other'

/** `status` is RFC 3463; `code` the next hop's, 000 when it said nothing. */
export const bounceKind = (status: string, code: string): BounceKind => {
  if (/^5\d\d$/.test(code)) return 'refused'
  if (status === '5.4.7') return 'expired'
  return status === '5.1.2' || status === '5.4.4' ? 'dns' : 'other'
}
