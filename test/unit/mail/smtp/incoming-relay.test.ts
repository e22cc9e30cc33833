import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IncomingRelay } from '../../../../src/config/sections/incoming-relays.ts'
import { originOf, relayOf } from '../../../../src/mail/smtp/incoming-relay.ts'

const RELAY: IncomingRelay = { name: 'R', address: '10.0.0.0/8', header: 'Received', matchAfter: 'from', hop: 1 }
const message = (...headers: readonly string[]): Buffer => Buffer.from(`${headers.join('\r\n')}\r\n\r\nbody\r\n`)
const received = (text: string): Buffer => message(`Received: ${text}`, 'Subject: x')
const address = (bytes: Buffer, relay: Partial<IncomingRelay> = {}): string => {
  const origin = originOf({ ...RELAY, ...relay }, bytes)
  return origin.kind === 'found' ? origin.address : origin.kind
}

describe('the origin of a message from an incoming relay', () => {
  it.each([
    [
      'Postfix',
      'from helo.example (client.example [192.0.2.7])\r\n\tby mx.example.net (Postfix) with ESMTP id 1;\r\n\tdate',
    ],
    [
      'Postfix with TLS',
      'from h (c.example [192.0.2.7])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\t(No client certificate requested)\r\n\tby mx (Postfix) with ESMTPS',
    ],
    ['Exim', 'from client.example ([192.0.2.7]:4711 helo=[203.0.113.9]) by mx.example.net with esmtp'],
    ['Exim without a name', 'from [192.0.2.7] (helo=203.0.113.9) by mx.example.net with esmtp'],
    ['Exchange', 'from HELO.example.com (192.0.2.7) by EX1.example.net (10.1.1.1) with Microsoft SMTP Server id 1'],
    ['qmail', 'from unknown (HELO 203.0.113.9) (192.0.2.7)\r\n  by mx.example.net with SMTP'],
    ['sendmail', 'from helo (c.example [192.0.2.7] (may be forged)) by mx (8.15.2/8.15.2) with ESMTP'],
    ['AsyncOS', 'from c.example (HELO h) ([192.0.2.7])\r\n  by esa1.example.net with ESMTP'],
    ['Lychgate', 'from h (unknown [192.0.2.7])\r\n by mail.example.com (Lychgate) with ESMTP id 1.2;'],
    ['nothing but the address', 'from 192.0.2.7 by mx'],
  ])('is read from the Received field of %s', (_who, text) => expect(address(received(text))).toBe('192.0.2.7'))

  it.each([
    ['an address as its name', 'from [203.0.113.9] (c.example [192.0.2.7]) by mx (Postfix)'],
    ['a comment as its name', 'from (x [203.0.113.9]) (c.example [192.0.2.7]) by mx (Postfix)'],
    ['"by" in its name', 'from x by y [203.0.113.9] (c.example [192.0.2.7]) by mx (Postfix) with SMTP'],
    ['an address in a certificate', 'from h (c.example [192.0.2.7]) (Client CN "c [203.0.113.9]") by mx (Postfix)'],
    ['a name in front of an address', 'from h (203.0.113.9 [192.0.2.7]) by mx (Postfix)'],
    ['an address with a letter', 'from h (203.0.113.9x) (192.0.2.7) by mx'],
  ])('is not what the client says of itself: %s', (_what, text) => expect(address(received(text))).toBe('192.0.2.7'))

  it('is never a field below the configured one', () => {
    const bytes = message(
      'Received: from relay1 (first.example [192.0.2.1]) by edge',
      'Received: from helo (second.example [192.0.2.2]) by relay1',
      'Received: from forged ([203.0.113.9]) by nobody',
    )
    expect(address(bytes)).toBe('192.0.2.1')
    expect(address(bytes, { hop: 2 })).toBe('192.0.2.2')
    expect(address(bytes, { hop: 4 })).toBe('no-header')
  })

  it('is the first address of a custom header, the topmost of its name', () => {
    const bytes = message('X-Client: ip=[2001:DB8::1]; seen', 'x-client: 203.0.113.9', 'Received: from (a [192.0.2.3])')
    expect(address(bytes, { header: 'X-Client' })).toBe('2001:db8::1')
    expect(address(bytes, { header: 'X-Other' })).toBe('no-header')
    expect(address(message('X-Client: none'), { header: 'X-Client' })).toBe('no-address')
  })

  it('begins behind the text that is configured, in what the relay wrote', () => {
    const bytes = received('from [203.0.113.9] (c.example [192.0.2.7] peer 192.0.2.8) by mx')
    expect(address(bytes, { matchAfter: '[' })).toBe('192.0.2.7')
    expect(address(bytes, { matchAfter: 'PEER' })).toBe('192.0.2.8')
    expect(address(bytes, { matchAfter: '#' })).toBe('no-address')
  })

  it('takes IPv6 in the form of the standard', () =>
    expect(address(received('from h (c.example [IPv6:2001:db8::25]) by mx'))).toBe('2001:db8::25'))

  it('is read in time, whatever the field holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('(', ')', '"', ' by ', '[', '1.2.3.4', ':', 'x') }), (text) => {
        originOf(RELAY, received(text.replaceAll('\r', '')))
      }),
    )
    const began = performance.now()
    originOf(RELAY, received(`from ${'('.repeat(100_000)}`))
    originOf(RELAY, received(`from ${'1:'.repeat(100_000)}`))
    expect(performance.now() - began).toBeLessThan(1000)
  })
})

describe('a relay', () => {
  it('is one by its address only', () => {
    expect(relayOf([RELAY], '10.1.2.3')?.name).toBe('R')
    expect(relayOf([RELAY], '11.1.2.3')).toBeNull()
    expect(relayOf([RELAY], '2001:db8::1')).toBeNull()
    expect(relayOf([], '10.1.2.3')).toBeNull()
  })
})
