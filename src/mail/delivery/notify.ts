import type { DsnOccasion, QueuedRecipient, Recipient, SpoolEntry } from '../../store/spool.ts'

/** What the sender asked to hear of one recipient; nothing asked when the recipient is not in the envelope. */
export const askedOf = (
  { recipients }: Pick<SpoolEntry, 'recipients'>,
  { rid }: QueuedRecipient,
): Omit<Recipient, 'rid'> => recipients.find((r) => r.rid === rid) ?? { address: '' }

/** RFC 3461 §4.1: without NOTIFY a sender hears of failure; of delay as the bounce profile says; of success never. */
export const wants = (
  { notify }: Pick<Recipient, 'notify'>,
  occasion: DsnOccasion,
  otherwise: { readonly DELAY: boolean } = { DELAY: false },
): boolean => {
  if (notify) return notify.includes(occasion)
  return occasion === 'FAILURE' || (occasion === 'DELAY' && otherwise.DELAY)
}
