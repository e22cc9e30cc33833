import { expect, it } from 'vitest'
import { addressKey, plainAddress } from '../../../src/core/plain-address.ts'

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:C000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::1', '::1'],
  ['::', '::'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['mail.example.com', 'mail.example.com'],
])('%s is compared and shown as %s', (typed, plain) => expect(plainAddress(typed)).toBe(plain))

it('counts an IPv6 client by its /64 and an IPv4 client by itself', () => {
  expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2::9'))
  expect(addressKey('2001:db8:1:2::9')).not.toBe(addressKey('2001:db8:1:3::9'))
  expect(addressKey('192.0.2.1')).not.toBe(addressKey('192.0.2.2'))
  expect(addressKey('::1')).toBe('0:0:0:0')
})
