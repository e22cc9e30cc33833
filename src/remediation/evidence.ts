/** Evidence in the header of a message that lies in a mailbox. Pure: every kind of mailbox judges by the same rules. */

export type HeaderFields = readonly (readonly [name: string, value: string])[]

/** Header fields in order, unfolded; latin1, so that every byte is one character. */
export const headerFields = (head: Buffer): HeaderFields => {
  const text = head.toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length
  const lines = text
    .slice(0, end)
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
  return lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const] : []
  })
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The host that wrote a Received header. */
const writtenBy = (received: string): string => /(?:^|[\s)])by\s+([^\s;()]+)/i.exec(received)?.[1]?.toLowerCase() ?? ''

/**
 * Our own Received header, found by its id. Hosts behind us put theirs on top; a sender can write any number below ours, but
 * above those that he wrote stands one more of our host: then the lower one is not the one that this delivery wrote.
 */
export const hasOurReceived = (fields: HeaderFields, id: string): boolean => {
  if (id === '') return false
  const ours = new RegExp(`(?:^|[\\s;])id <?${escaped(id)}>?(?=[\\s;]|$)`)
  const received = fields.filter(([name]) => name === 'received').map(([, value]) => value)
  const at = received.findIndex((value) => ours.test(value))
  if (at < 0) return false
  const host = writtenBy(received[at] ?? '')
  return at === 0 || (host !== '' && received.slice(0, at).every((value) => writtenBy(value) !== host))
}
