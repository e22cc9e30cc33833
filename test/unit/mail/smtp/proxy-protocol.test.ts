import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readProxyHeader } from '../../../../src/mail/smtp/proxy-protocol.ts'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const binary = (command: number, family: number, body: readonly number[]): Buffer =>
  Buffer.concat([SIGNATURE, Buffer.from([command, family, body.length >> 8, body.length & 255]), Buffer.from(body)])
const V4 = [192, 0, 2, 1, 10, 0, 0, 1, 1, 0, 0, 25]
const V6 = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...Array.from({ length: 20 }, () => 0)]

describe('the PROXY header', () => {
  it.each([
    [Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 256 25\r\nEHLO'), '192.0.2.1', 38],
    [Buffer.from('PROXY TCP6 2001:db8::1 ::1 256 25\r\n'), '2001:db8::1', 35],
    [Buffer.from('PROXY UNKNOWN\r\n'), null, 15],
    [binary(0x21, 0x11, V4), '192.0.2.1', 28],
    [binary(0x21, 0x21, V6), '2001:db8::1', 52],
    [binary(0x21, 0x11, [...V4, 4, 0, 1, 0]), '192.0.2.1', 32],
    [binary(0x20, 0, []), null, 16],
  ])('%#: gives the address of the client', (bytes, address, length) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'done', address, length })
    for (let i = 0; i < length; i++) expect(readProxyHeader(bytes.subarray(0, i)).kind).toBe('incomplete')
  })

  it.each([
    Buffer.from('EHLO client\r\n'),
    Buffer.from('PROXY TCP4 2001:db8::1 10.0.0.1 1 2\r\n'),
    Buffer.from('PROXY TCP4 192.0.2.1 10.0.0.1 1 70000\r\n'),
    Buffer.from('PROXY TCP4 192.0.2.1\r\n'),
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(120)}`),
    binary(0x11, 0x11, V4),
    binary(0x21, 0x11, V4.slice(0, 8)),
    binary(0x21, 0x31, V4),
  ])('%#: is invalid', (bytes) => expect(readProxyHeader(bytes).kind).toBe('invalid'))

  it('is read without a throw, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, signed) => {
        readProxyHeader(signed ? Buffer.concat([SIGNATURE, bytes]) : Buffer.from(bytes))
      }),
    )
  })
})
