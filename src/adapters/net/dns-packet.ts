import type { DnsQuestion, DnsRecord, DnsReply } from '../../services/diagnostics.ts'

/* DNS messages (RFC 1035 §4), as much of them as `dig` shows. */

const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  ANY: 255,
  CAA: 257,
}

export const typeName = (code: number): string =>
  Object.entries(TYPES).find(([, value]) => value === code)?.[0] ?? `TYPE${code}`

/** null = no such type. */
export const typeCode = (name: string): number | null => {
  const numbered = /^TYPE(\d{1,5})$/.exec(name)
  if (numbered) return Number(numbered[1]) <= 65_535 ? Number(numbered[1]) : null
  return TYPES[name] ?? null
}

const CLASS_IN = 1
const RECURSION_DESIRED = 0x0100
const AUTHENTIC_DATA = 0x0020
/** EDNS0 (RFC 6891 §6.1.2): answers up to 1232 bytes, and the DO bit: DNSSEC is of interest (RFC 3225). */
const OPT_DNSSEC = Buffer.from([0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, 0x80, 0, 0, 0])

/** `dnssec`: the answer's AD bit is wanted (RFC 6840 §5.7). @throws Error when the name has a label that DNS does not carry. */
export const encodeQuery = (id: number, { name, type }: Pick<DnsQuestion, 'name' | 'type'>, dnssec = false): Buffer => {
  const labels = name.split('.').filter((label) => label !== '')
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1')
    if (bytes.length > 63) throw new Error('a label has more than 63 characters')
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  })
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(dnssec ? RECURSION_DESIRED | AUTHENTIC_DATA : RECURSION_DESIRED, 2)
  head.writeUInt16BE(1, 4)
  if (dnssec) head.writeUInt16BE(1, 10)
  const tail = Buffer.alloc(5)
  tail.writeUInt16BE(typeCode(type) ?? 1, 1)
  tail.writeUInt16BE(CLASS_IN, 3)
  return Buffer.concat([head, ...parts, tail, ...(dnssec ? [OPT_DNSSEC] : [])])
}

interface Cursor {
  readonly packet: Buffer
  at: number
}

/** A name from `at`, through compression pointers, which lead backwards only. */
const readName = (cursor: Cursor): string => {
  const { packet } = cursor
  const labels: string[] = []
  let { at } = cursor
  let end = -1
  let floor = at
  for (;;) {
    const length = packet.readUInt8(at)
    if ((length & 0xc0) === 0xc0) {
      const target = packet.readUInt16BE(at) & 0x3fff
      if (end === -1) end = at + 2
      if (target >= floor) throw new Error('a name in the answer points forward')
      floor = target
      at = target
    } else if (length === 0) {
      cursor.at = end === -1 ? at + 1 : end
      return labels.length === 0 ? '.' : `${labels.join('.')}.`
    } else {
      if (length > 63) throw new Error('a name in the answer is malformed')
      if (at + 1 + length > packet.length || labels.length > 127) throw new Error('the answer is cut short')
      labels.push(packet.toString('latin1', at + 1, at + 1 + length).replace(/[.\\]/g, '\\$&'))
      at += 1 + length
    }
  }
}

const quoted = (bytes: Buffer): string => `"${bytes.toString('latin1').replace(/["\\]/g, '\\$&')}"`

const strings = (bytes: Buffer): readonly string[] => {
  const found: string[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt8(at)
    found.push(quoted(bytes.subarray(at + 1, at + 1 + length)))
    at += 1 + length
  }
  return found
}

const ipv6 = (bytes: Buffer): string => {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':')
  // The URL parser writes addresses as RFC 5952 does.
  return new URL(`http://[${words}]`).hostname.slice(1, -1)
}

/** RFC 3597 §5, for what is not known here. */
const unknown = (bytes: Buffer): string => `\\# ${bytes.length} ${bytes.toString('hex').toUpperCase()}`.trimEnd()

const READ: Readonly<Record<string, (packet: Buffer, at: number, bytes: Buffer) => string>> = {
  A: (_, _at, bytes) => [...bytes].join('.'),
  AAAA: (_, _at, bytes) => ipv6(bytes),
  NS: (packet, at) => readName({ packet, at }),
  CNAME: (packet, at) => readName({ packet, at }),
  DNAME: (packet, at) => readName({ packet, at }),
  PTR: (packet, at) => readName({ packet, at }),
  MX: (packet, at, bytes) => `${bytes.readUInt16BE(0)} ${readName({ packet, at: at + 2 })}`,
  TXT: (_, _at, bytes) => strings(bytes).join(' '),
  SPF: (_, _at, bytes) => strings(bytes).join(' '),
  HINFO: (_, _at, bytes) => strings(bytes).join(' '),
  SRV: (packet, at, bytes) =>
    `${bytes.readUInt16BE(0)} ${bytes.readUInt16BE(2)} ${bytes.readUInt16BE(4)} ${readName({ packet, at: at + 6 })}`,
  SOA: (packet, at) => {
    const cursor = { packet, at }
    const names = [readName(cursor), readName(cursor)]
    const numbers = [0, 4, 8, 12, 16].map((offset) => packet.readUInt32BE(cursor.at + offset))
    return [...names, ...numbers].join(' ')
  },
  CAA: (_, _at, bytes) => {
    const length = bytes.readUInt8(1)
    return `${bytes.readUInt8(0)} ${bytes.toString('latin1', 2, 2 + length)} ${quoted(bytes.subarray(2 + length))}`
  },
  TLSA: (_, _at, bytes) => `${bytes[0]} ${bytes[1]} ${bytes[2]} ${bytes.toString('hex', 3).toUpperCase()}`,
}

const readRecord = (cursor: Cursor): DnsRecord | null => {
  const name = readName(cursor)
  const { packet, at } = cursor
  const type = typeName(packet.readUInt16BE(at))
  const ttlSeconds = packet.readUInt32BE(at + 4)
  const start = at + 10
  const end = start + packet.readUInt16BE(at + 8)
  if (end > packet.length) throw new Error('the answer is cut short')
  cursor.at = end
  const bytes = packet.subarray(start, end)
  // OPT says how to speak, nothing of the name (RFC 6891).
  if (type === 'OPT') return null
  return { name, ttlSeconds, type, data: (READ[type] ?? ((_p, _a, b) => unknown(b)))(packet, start, bytes) }
}

const FLAG_BITS: readonly (readonly [number, string])[] = [
  [0x8000, 'qr'],
  [0x0400, 'aa'],
  [0x0200, 'tc'],
  [0x0100, 'rd'],
  [0x0080, 'ra'],
  [0x0020, 'ad'],
  [0x0010, 'cd'],
]

/** @throws Error (RangeError for one that is cut short) when the packet is no DNS message. */
export const decodeReply = (packet: Buffer): Omit<DnsReply, 'server' | 'port' | 'milliseconds' | 'tcp'> => {
  const bits = packet.readUInt16BE(2)
  const cursor: Cursor = { packet, at: 12 }
  const question = Array.from({ length: packet.readUInt16BE(4) }, () => {
    const name = readName(cursor)
    const type = typeName(packet.readUInt16BE(cursor.at))
    cursor.at += 4
    return { name, type }
  })
  const records = (offset: number): readonly DnsRecord[] =>
    Array.from({ length: packet.readUInt16BE(offset) }, () => readRecord(cursor)).filter((r) => r !== null)
  return {
    id: packet.readUInt16BE(0),
    opcode: (bits >> 11) & 0xf,
    rcode: bits & 0xf,
    flags: FLAG_BITS.flatMap(([bit, name]) => ((bits & bit) === 0 ? [] : [name])),
    question,
    answer: records(6),
    authority: records(8),
    additional: records(10),
    bytes: packet.length,
  }
}
