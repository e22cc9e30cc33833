/** RFC 5322 §2.1.1: no line is longer, so no honest identifier is. */
const LONGEST = 998

/**
 * The identifier of a raw Message-ID field (latin1, one character a byte), with its angle brackets; null = the field is
 * empty. Whoever compares identifiers reads them with this function: bytes that are no UTF-8, comments, folds and
 * oversize come out the same way on both sides, so that no spelling hides a message from a later search.
 */
export const readMessageId = (raw: string): string | null => {
  const unfolded = raw.replace(/\r?\n(?=[ \t])/g, '')
  const text = Buffer.from(unfolded, 'latin1').toString('utf8').trim()
  const id = /<[^<>]*>/.exec(text)?.[0] ?? text
  return id === '' ? null : id.slice(0, LONGEST)
}
