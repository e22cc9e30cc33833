import { expect, it } from 'vitest'
import { defaultListener } from '../../../../src/config/sections/listeners.ts'
import { accepts, admitRecipient, clientPolicy, plainAddress } from '../../../../src/mail/smtp/access.ts'
import { peekHeaders } from '../../../../src/mail/smtp/header-peek.ts'

it.each([
  [['example.com'], 'a@Example.COM', true],
  [['example.com'], 'a@sub.example.com', false],
  [['.example.com'], 'a@sub.example.com', true],
  [['.example.com'], 'a@example.com', false],
  [['joe@example.com'], 'JOE@example.com', true],
  [['joe@example.com'], 'ann@example.com', false],
  [['joe@example.com'], 'Postmaster@example.com', true],
  [['postmaster@'], 'postmaster@any.example', true],
  [['ALL'], 'a@any.example', true],
  [[], 'a@example.com', false],
])('the table %j and %s: %s', (table, recipient, expected) => {
  expect(accepts(table, recipient)).toBe(expected)
})

it.each([
  ['192.0.2.7', 'RELAY'],
  ['10.1.2.3', 'RELAY'],
  ['10.2.2.3', 'ACCEPT'],
  ['2001:db8::5', 'RELAY'],
  ['2001:db9::5', 'ACCEPT'],
])('a client at %s gets %s', (address, behaviour) => {
  const relayHosts = ['192.0.2.7', '10.1.0.0/16', '2001:db8::/32', '10.2.0.0/99', 'nonsense']
  expect(clientPolicy({ ...defaultListener, relayHosts }, address).behaviour).toBe(behaviour)
})

it('shows an IPv4 client of a dual-stack socket as IPv4', () => {
  expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(plainAddress('2001:db8::1')).toBe('2001:db8::1')
})

it('gives postmaster without a domain the first accepted one', () => {
  const policy = clientPolicy(defaultListener, '192.0.2.1')
  const at = (acceptDomains: string[]) => admitRecipient({ ...defaultListener, acceptDomains }, policy, 'Postmaster')
  expect(at(['.x.example', 'b.example'])).toBe('Postmaster@b.example')
  expect(at(['ALL'])).toBeNull()
})

it.each([
  ['Message-ID: <a@b>\r\n\r\n', '<a@b>'],
  ['message-id:\r\n <a@b>\r\n\r\n', '<a@b>'],
  ['Message-Id: bare\r\n\r\n', 'bare'],
  ["Message-ID: <Lands'End.6cl@x> (comment)\r\n\r\n", "<Lands'End.6cl@x>"],
  ['Subject: x\r\n\r\nMessage-ID: <body@b>\r\n', null],
  ['Message-ID: \r\n\r\n', null],
])('of %j the Message-ID is %j', (text, id) => {
  expect(peekHeaders(Buffer.from(text)).messageId).toBe(id)
})

it('keeps the Subject raw, counts hops, and stops at its limits', () => {
  const peek = peekHeaders(
    Buffer.from('Received: a\r\nRECEIVED: b\r\nSubject: =?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=\r\n\r\n'),
  )
  expect(peek).toEqual({ messageId: null, subject: '=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=', hops: 2, tooLong: false })
  expect(peekHeaders(Buffer.from('X: y\r\n'.repeat(1001))).tooLong).toBe(true)
})
