import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { acceptEntry, defaultListener } from '../../../../src/config/sections/listeners.ts'
import { recipientEntry, servesDomain, wholeRecipient } from '../../../../src/mail/smtp/access.ts'
import { isRecipient } from '../../../../src/mail/smtp/recipient-validation.ts'
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
  const listener = { ...defaultListener, recipientAccess: table.map(acceptEntry) }
  expect(recipientEntry(listener, recipient)?.access === 'accept').toBe(expected)
})

it('finds in tables and lists what reading them entry by entry finds', () => {
  const fits = (entry: string, local: string, domain: string): boolean => {
    if (entry === 'ALL' || entry === domain) return true
    if (entry.endsWith('@')) return local === entry.slice(0, -1)
    if (entry.includes('@'))
      return entry === `${local}@${domain}` || (local === 'postmaster' && entry.endsWith(`@${domain}`))
    return entry.startsWith('.') && domain.endsWith(entry)
  }
  const local = fc.constantFrom('a', 'b', 'postmaster')
  const domain = fc.constantFrom('x.example', 'y.x.example', 'z.y.x.example', 'example', '[192.0.2.1]')
  const entry = fc.oneof(
    fc.constantFrom('ALL', '.example', '.x.example', '.y.x.example'),
    domain,
    local.map((l) => `${l}@`),
    fc.tuple(local, domain).map(([l, d]) => `${l}@${d}`),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(entry, fc.boolean()), { maxLength: 8 }), local, domain, (table, l, d) => {
      const recipientAccess = table.map(([e, accept]) => ({
        ...acceptEntry(e),
        access: accept ? ('accept' as const) : ('reject' as const),
      }))
      const listener = { ...defaultListener, recipientAccess, recipientValidation: 'list' as const, recipientList: 'L' }
      expect(recipientEntry(listener, `${l}@${d.toUpperCase()}`)).toBe(
        recipientAccess.find((e) => fits(e.address, l, d)),
      )
      if (l === 'postmaster') return
      const entries = table.flatMap(([e]) => (e === 'ALL' ? [] : e.includes('@') ? [e] : [e, `@${e}`]))
      const list = { name: 'L', description: '', type: 'all' as const, entries }
      const none = () => Promise.resolve(false)
      expect(isRecipient(listener, `${l}@${d}`, [list], none)).toBe(table.some(([e]) => e !== 'ALL' && fits(e, l, d)))
    }),
  )
})

it('takes the first entry that matches', () => {
  const recipientAccess = [
    { ...acceptEntry('joe@example.com'), access: 'reject' as const, replyCode: 550, replyText: 'gone' },
    acceptEntry('example.com'),
  ]
  const listener = { ...defaultListener, recipientAccess }
  expect(recipientEntry(listener, 'Joe@example.com')?.replyText).toBe('gone')
  expect(recipientEntry(listener, 'ann@example.com')?.access).toBe('accept')
})

it('serves the domains that it accepts by name, whole or in part', () => {
  const listener = {
    ...defaultListener,
    recipientAccess: ['.a.example', 'joe@b.example', 'postmaster@', 'ALL'].map(acceptEntry),
  }
  expect(
    ['x.a.example', 'b.example', 'B.example', 'a.example', 'c.example'].map((d) => servesDomain(listener, d)),
  ).toEqual([true, true, true, false, false])
})

it('gives postmaster without a domain the first accepted one', () => {
  const at = (domains: string[]) =>
    wholeRecipient({ ...defaultListener, recipientAccess: domains.map(acceptEntry) }, 'Postmaster')
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
  expect(peekHeaders(Buffer.from(`${'X: y\r\n'.repeat(1000)}\r\nbody`)).tooLong).toBe(false)
})

const MIB = 1_048_576
const folded = (bytes: number): string => {
  const first = 'X: y\r\n'
  const fold = ` ${'z'.repeat(997)}\r\n`
  const folds = Math.floor((bytes - first.length) / fold.length) - 1
  const rest = bytes - first.length - folds * fold.length
  return `${first}${fold.repeat(folds)} ${'z'.repeat(rest - 3)}\r\n`
}

it.each([
  ['in folds of the only field', (bytes: number) => folded(bytes)],
  ['in one line', (bytes: number) => `X: ${'y'.repeat(bytes - 5)}\r\n`],
  ['in folds of the last of several fields', (bytes: number) => `A: b\r\n${folded(bytes - 6)}`],
])('counts all bytes of the header: %s', (_, header) => {
  const peek = (bytes: number, after: string) => peekHeaders(Buffer.from(header(bytes) + after)).tooLong
  for (const after of ['', '\r\nbody\r\n', 'no field\r\n', `\r\n${folded(MIB)}`]) {
    expect(peek(MIB, after)).toBe(false)
    expect(peek(MIB + 1, after)).toBe(true)
  }
})

it('takes text of any length that is no field for the body', () => {
  expect(peekHeaders(Buffer.from(`Subject: s\r\n${'y'.repeat(2 * MIB)}\r\n`))).toMatchObject({
    tooLong: false,
    subject: 's',
  })
})
