import { createHash } from 'node:crypto'

/**
 * Names of the embedded Maildirs: `<domain>/<localpart>` under `<home>/mailboxes`. Both parts are case-folded and every
 * byte outside a small safe set becomes `%xx`, so a name never leaves its directory and two addresses never share one.
 */
const SAFE = /[a-z0-9_+=@-]/
/** File systems take 255 bytes; longer names keep their start and end in a hash. */
const MAX_NAME = 200

const safeName = (text: string): string => {
  let out = ''
  for (const [i, byte] of Buffer.from(text.normalize('NFC').toLowerCase()).entries()) {
    const c = String.fromCharCode(byte)
    // A dot is kept inside a name only: `.`, `..` and hidden directories (Maildir++ folders) cannot arise.
    out += SAFE.test(c) || (c === '.' && i > 0) ? c : `%${byte.toString(16).padStart(2, '0')}`
  }
  if (out.length <= MAX_NAME) return out
  const hash = createHash('sha256').update(text.normalize('NFC').toLowerCase()).digest('hex').slice(0, 32)
  return `${out.slice(0, MAX_NAME - 33)}%${hash}`
}

/** The two parts of a mailbox address, cut at its last `@`; the domain without the root's dot. */
export const splitAddress = (address: string): { readonly local: string; readonly domain: string } => {
  const at = address.lastIndexOf('@')
  return at < 0
    ? { local: address, domain: '' }
    : { local: address.slice(0, at), domain: address.slice(at + 1).replace(/\.$/, '') }
}

/** Path of a mailbox below `<home>/mailboxes`, with `/` between domain and local part. */
export const mailboxPath = (address: string): string => {
  const { local, domain } = splitAddress(address)
  return `${safeName(domain) || '%'}/${safeName(local) || '%'}`
}

/**
 * Base name of a delivered message: the same for every attempt at the same MID and RID, so that a repeated delivery after
 * a crash finds its own file. Readers append `:2,FLAGS`.
 */
export const maildirName = (receivedAt: Date, mid: number, rid: number, host: string): string =>
  `${Math.floor(receivedAt.getTime() / 1000)}.M${mid}R${rid}.${safeName(host) || 'localhost'}`
