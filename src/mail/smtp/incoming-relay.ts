import { isIP } from 'node:net'
import { addressNumber, parseHostEntry } from '../../config/host-entries.ts'
import type { HostEntry } from '../../config/host-entries.ts'
import { oncePer } from '../../core/once-per.ts'
import { plainAddress } from '../../core/plain-address.ts'
import type { IncomingRelay } from '../../config/sections/incoming-relays.ts'
import { readHeaderBlock } from '../message/header-block.ts'
import { SMTP_LIMITS } from './limits.ts'

/** What a relay's header says of the client that it has a message from. */
export type RelayOrigin =
  | { readonly kind: 'found'; readonly address: string }
  | { readonly kind: 'no-header' }
  | { readonly kind: 'no-address' }

interface Compiled {
  readonly relay: IncomingRelay
  readonly entry: HostEntry
}

const compile = oncePer((relays: readonly IncomingRelay[]): readonly Compiled[] =>
  relays.flatMap((relay) => {
    const entry = parseHostEntry(relay.address)
    return entry.ok ? [{ relay, entry: entry.value }] : []
  }),
)

/** The relay that a connection comes from; null = its header is not asked. */
export const relayOf = (relays: readonly IncomingRelay[], remoteAddress: string): IncomingRelay | null => {
  const own = addressNumber(remoteAddress)
  if (!own) return null
  const hit = compile(relays).find(
    ({ entry }) =>
      entry.kind === 'addresses' && entry.family === own.family && own.value >= entry.low && own.value <= entry.high,
  )
  return hit?.relay ?? null
}

const ADDRESS = /(?:IPv6:)?((?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})|\d{1,3}(?:\.\d{1,3}){3})/gi

/** Whole addresses of a text in their order: `1.2.3.4` of `x1.2.3.4.example` is none. */
const addressesIn = (text: string): readonly string[] =>
  [...text.matchAll(ADDRESS)].flatMap((m) => {
    const before = text[m.index - 1] ?? ' '
    const after = text.slice(m.index + m[0].length)
    const address = (m[1] ?? '').toLowerCase()
    return isIP(address) !== 0 && !/[\w.-]/.test(before) && !/^(?:[\w-]|\.\w)/.test(after)
      ? [plainAddress(address)]
      : []
  })

interface FromClause {
  /** What stands in no comment: the name that the client gave itself. */
  readonly words: string
  readonly comments: readonly string[]
}

/**
 * The part of a Received field before its last `by`. Words and comments are told apart because the relay writes the
 * address that it saw into a comment (RFC 5321 §4.4), while the words, and what is marked as HELO, are the client's.
 */
const fromClause = (field: string): FromClause => {
  const text = field.replace(/"(?:[^"\\]|\\.)*"/g, ' ')
  let depth = 0
  let words = ''
  let comments: string[] = []
  let clause: FromClause | null = null
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? ''
    if (c === '(' && depth++ === 0) comments = [...comments, '']
    else if (c === ')' && depth > 0) depth--
    else if (depth > 0) comments[comments.length - 1] += c === '(' || c === ')' ? ' ' : c
    else {
      if (/^\sby\s/i.test(text.slice(i, i + 4))) clause = { words, comments: [...comments] }
      words += c
    }
  }
  return clause ?? { words, comments }
}

const HELO = /\b(?:helo|ehlo)[= ]\S+/gi

/** The address that the relay itself saw: a client may give itself any address as its name. */
const seenAddress = ({ words, comments }: FromClause): string | null => {
  const told = comments.map((c) => c.replace(HELO, ' '))
  const bracketed = told.flatMap((c) => [...c.matchAll(/\[([^\]]*)\]/g)].flatMap((m) => addressesIn(m[1] ?? '')))
  return bracketed.at(-1) ?? told.flatMap(addressesIn).at(-1) ?? addressesIn(words)[0] ?? null
}

const addressAfter = (clause: FromClause, field: string, mark: string): string | null => {
  const told = clause.comments.map((c) => `(${c.replace(HELO, ' ')})`).filter((c) => addressesIn(c).length > 0)
  const text = told.length > 0 ? told.join(' ') : field
  const at = text.toLowerCase().indexOf(mark.toLowerCase())
  return at < 0 ? null : (addressesIn(text.slice(at + mark.length))[0] ?? null)
}

/**
 * Whom a relay has a message from, by its header. Only the topmost field of a name, or the hop that is configured, is
 * read: what stands below was written by hosts that nobody vouches for.
 */
export const originOf = (relay: IncomingRelay, bytes: Buffer): RelayOrigin => {
  const { fields } = readHeaderBlock(bytes, 0, bytes.length, {
    headers: SMTP_LIMITS.headerFields,
    headerBytes: SMTP_LIMITS.headerBytes,
  })
  const name = relay.header.toLowerCase()
  const received = name === 'received'
  const field = fields.filter((f) => f.name.toLowerCase() === name)[received ? relay.hop - 1 : 0]
  if (!field) return { kind: 'no-header' }
  const text = field.raw.slice(0, 8192).replace(/\s+/g, ' ')
  let address: string | null
  if (!received) address = addressesIn(text)[0] ?? null
  else {
    const clause = fromClause(text)
    const plain = relay.matchAfter.toLowerCase() === 'from'
    address = plain ? seenAddress(clause) : addressAfter(clause, text, relay.matchAfter)
  }
  return address === null ? { kind: 'no-address' } : { kind: 'found', address }
}
