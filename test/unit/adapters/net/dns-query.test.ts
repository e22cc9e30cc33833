import { afterEach, describe, expect, it } from 'vitest'
import { dnsQuery } from '../../../../src/adapters/net/dns-query.ts'
import { decodeReply, encodeQuery, typeCode, typeName } from '../../../../src/adapters/net/dns-packet.ts'
import { systemEntropy } from '../../../../src/core/entropy.ts'
import { Fault, UserError } from '../../../../src/core/errors.ts'
import { startNameServer } from '../../../support/machine.ts'

const open: { close(): unknown }[] = []
afterEach(() => open.splice(0).forEach((o) => o.close()))
const never = (): AbortSignal => new AbortController().signal
const question = { name: 'example.com', type: 'MX', server: '127.0.0.1', source: null, tcp: false }
const ask = async (change?: (reply: Buffer) => Buffer, signal = never()) => {
  const server = await startNameServer(change)
  open.push(server)
  return await dnsQuery({ entropy: systemEntropy }, { port: server.port })(question, signal)
}

describe('a question to a name server', () => {
  it('is answered with flags, sections and what it cost', async () => {
    expect(await ask()).toMatchObject({
      rcode: 0,
      flags: ['qr', 'rd', 'ra'],
      question: [{ name: 'example.com.', type: 'MX' }],
      answer: [{ name: 'example.com.', ttlSeconds: 3600, type: 'MX', data: '10 mx.example.com.' }],
      authority: [],
      server: '127.0.0.1',
      tcp: false,
      bytes: 48,
    })
  })

  it('takes no packet for the answer that has another id', async () => {
    const stop = new AbortController()
    const forged = (reply: Buffer): Buffer => {
      setImmediate(() => stop.abort(new Error('stopped')))
      reply.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0)
      return reply
    }
    await expect(ask(forged, stop.signal)).rejects.toThrow('stopped')
  })

  it.each([
    ['cut short', (reply: Buffer) => reply.subarray(0, 40)],
    [
      'with a name that points to itself',
      (reply: Buffer) => Buffer.concat([reply.subarray(0, 29), Buffer.from([0xc0, 29]), reply.subarray(31)]),
    ],
  ])('says so when the answer is %s', async (_, change) => {
    await expect(ask(change)).rejects.toThrow(Fault)
    await expect(ask(change)).rejects.toThrow('127.0.0.1 answered with a packet that is no DNS message.')
  })

  it('is refused for a type that there is not', async () => {
    const wrong = dnsQuery({ entropy: systemEntropy }, { port: 1 })({ ...question, type: 'NOPE' }, never())
    await expect(wrong).rejects.toThrow(UserError)
  })
})

describe('DNS messages', () => {
  const reply = (type: number, data: readonly number[]): Buffer => {
    const query = encodeQuery(7, { name: 'a.example', type: 'A' })
    const record = Buffer.from([
      0xc0,
      12,
      type >> 8,
      type & 255,
      0,
      1,
      0,
      0,
      0,
      60,
      data.length >> 8,
      data.length & 255,
      ...data,
    ])
    const packet = Buffer.concat([query, record])
    packet.writeUInt16BE(0x8580, 2)
    packet.writeUInt16BE(1, 6)
    return packet
  }
  it.each([
    ['A', [192, 0, 2, 1], '192.0.2.1'],
    ['AAAA', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '2001:db8::1'],
    ['TXT', [3, 97, 34, 98, 1, 99], '"a\\"b" "c"'],
    ['CNAME', [1, 98, 0xc0, 14], 'b.example.'],
    ['SRV', [0, 1, 0, 2, 0, 25, 0xc0, 12], '1 2 25 a.example.'],
    [
      'SOA',
      [0xc0, 12, 0xc0, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5],
      'a.example. example. 1 2 3 4 5',
    ],
    ['CAA', [0, 5, 105, 115, 115, 117, 101, 120], '0 issue "x"'],
    ['TLSA', [3, 1, 1, 0xab], '3 1 1 AB'],
    ['TYPE999', [1, 2], '\\# 2 0102'],
  ])('%s is shown as in a zone file', (type, data, text) => {
    const [record] = decodeReply(reply(typeCode(type) ?? 0, data)).answer
    expect(record).toMatchObject({ name: 'a.example.', type, data: text, ttlSeconds: 60 })
    expect(typeName(typeCode(type) ?? 0)).toBe(type)
  })

  it('has no labels of more than 63 characters', () =>
    expect(() => encodeQuery(1, { name: `${'a'.repeat(64)}.example`, type: 'A' })).toThrow('63'))

  it('any bytes are read or refused, and never for ever', () => {
    for (let i = 0; i < 2000; i++) {
      const bytes = Buffer.from(systemEntropy.bytes(60))
      try {
        decodeReply(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  })
})
