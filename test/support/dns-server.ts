import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** What a name server says to one question. */
export interface DnsAnswer {
  /** As in a zone file; a CNAME stands before what it leads to. */
  readonly records?: readonly {
    readonly name: string
    readonly type: 'A' | 'AAAA' | 'MX' | 'CNAME' | 'TLSA'
    readonly data: string
  }[]
  /** 0, 2 = SERVFAIL, 3 = no such name. */
  readonly rcode?: number
  readonly ad?: boolean
  /** Over UDP it says only that it does not fit. */
  readonly truncated?: boolean
}

export interface AskedQuestion {
  readonly name: string
  readonly type: number
  readonly tcp: boolean
  /** The DO bit of EDNS0. */
  readonly dnssec: boolean
}

const CODES = { A: 1, CNAME: 5, MX: 15, AAAA: 28, TLSA: 52 } as const
export const dnsType = (code: number): string => Object.entries(CODES).find(([, n]) => n === code)?.[0] ?? `TYPE${code}`

const wireName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((l) => l !== '')
      .map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l, 'latin1')])),
    Buffer.from([0]),
  ])

const u16 = (...values: readonly number[]): Buffer => Buffer.from(values.flatMap((v) => [v >> 8, v & 0xff]))

const wireData = (type: keyof typeof CODES, data: string): Buffer => {
  const [first = '', second = '', third = '', fourth = ''] = data.split(' ')
  if (type === 'A') return Buffer.from(data.split('.').map(Number))
  if (type === 'AAAA') return Buffer.from(data.replaceAll(':', ''), 'hex')
  if (type === 'MX') return Buffer.concat([u16(Number(first)), wireName(second)])
  if (type === 'CNAME') return wireName(data)
  return Buffer.concat([Buffer.from([Number(first), Number(second), Number(third)]), Buffer.from(fourth, 'hex')])
}

const read = (packet: Buffer, tcp: boolean): AskedQuestion & { readonly question: Buffer } => {
  const labels: string[] = []
  let at = 12
  for (let length = packet.readUInt8(at); length > 0; length = packet.readUInt8(at)) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const question = packet.subarray(12, at + 5)
  // OPT: root, type 41, size, rcode, version, flags.
  const dnssec =
    packet.readUInt16BE(10) === 1 && packet.readUInt16BE(at + 6) === 41 && (packet.readUInt8(at + 12) & 0x80) !== 0
  return { name: labels.join('.').toLowerCase(), type: packet.readUInt16BE(at + 1), tcp, dnssec, question }
}

const written = (packet: Buffer, question: Buffer, answer: DnsAnswer, tcp: boolean): Buffer => {
  const cut = answer.truncated === true && !tcp
  const records = cut ? [] : (answer.records ?? [])
  const flags = 0x8180 | (cut ? 0x0200 : 0) | (answer.ad === true ? 0x0020 : 0) | (answer.rcode ?? 0)
  return Buffer.concat([
    packet.subarray(0, 2),
    u16(flags, 1, records.length, 0, 0),
    question,
    ...records.flatMap(({ name, type, data }) => {
      const bytes = wireData(type, data)
      return [wireName(name), u16(CODES[type], 1, 0, 300, bytes.length), bytes]
    }),
  ])
}

/** A name server on the loopback, over UDP and TCP of one port. `say` null = it does not answer. */
export const dnsServer = async (say: (question: AskedQuestion) => DnsAnswer | null) => {
  const asked: AskedQuestion[] = []
  const reply = (packet: Buffer, tcp: boolean): Buffer | null => {
    const { question, ...rest } = read(packet, tcp)
    asked.push(rest)
    const answer = say(rest)
    return answer === null ? null : written(packet, question, answer, tcp)
  }
  const tcp = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        const answer = reply(bytes.subarray(2), true)
        if (answer) socket.end(Buffer.concat([u16(answer.length), answer]))
      })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (packet, from) => {
    const answer = reply(packet, false)
    if (answer) udp.send(answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))
  return {
    port,
    asked,
    close: async () => {
      udp.close()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}
