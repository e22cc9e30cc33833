import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SmtpSession } from '../../../../src/mail/smtp/session.ts'
import { fromXtext, isXtext, toXtext } from '../../../../src/mail/smtp/xtext.ts'
import { converse } from '../../../support/smtp-conversation.ts'

const say = (...lines: readonly string[]) =>
  converse(
    new SmtpSession({
      hostname: 'mail.example.com',
      greeting: 'ESMTP',
      tls: 'off',
      maxMessages: 10,
      maxRecipients: 10,
      maxMessageBytes: 1000,
      bareNewlines: 'reject',
    }),
    [Buffer.from(['EHLO x', ...lines].map((l) => `${l}\r\n`).join(''))],
  )
const MAIL = 'MAIL FROM:<a@b.example>'

it('the listener offers DSN', () => {
  expect(say().replies.join('')).toContain('250-DSN\r\n')
})

describe('what a sender asks about notifications', () => {
  it('is told with the sender and each recipient', () => {
    const { outputs } = say(
      `${MAIL} RET=hdrs ENVID=QQ+2B1`,
      'RCPT TO:<c@d.example> NOTIFY=failure,SUCCESS ORCPT=rfc822;c+2Bx@d.example',
      'RCPT TO:<e@d.example> NOTIFY=NEVER',
      'RCPT TO:<f@d.example>',
    )
    expect(outputs.flatMap((o) => (o.kind === 'sender' || o.kind === 'recipient' ? [o.options] : []))).toEqual([
      { ret: 'HDRS', envid: 'QQ+2B1' },
      { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;c+2Bx@d.example' },
      { notify: [] },
      {},
    ])
  })

  it.each([
    'RET=ALL',
    'RET',
    'ENVID=a=b',
    'ENVID=a+2b',
    'ENVID=+',
    `ENVID=${'x'.repeat(101)}`,
    'ENVID',
    'RET=FULL RET=HDRS',
  ])('behind MAIL is refused with 501 as %s', (parameter) => {
    expect(say(`${MAIL} ${parameter}`).codes.at(-1)).toBe(501)
  })

  it.each(['NOTIFY=NEVER,FAILURE', 'NOTIFY=', 'NOTIFY', 'NOTIFY=SOMETIMES', 'NOTIFY=SUCCESS,', 'ORCPT=c@d.example'])(
    'behind RCPT is refused with 501 as %s',
    (parameter) => {
      expect(say(MAIL, `RCPT TO:<c@d.example> ${parameter}`).codes.at(-1)).toBe(501)
    },
  )

  it.each(['ORCPT=rfc822;', 'ORCPT=rfc822;a+4', 'ORCPT=rfc822;a=b', `ORCPT=rfc822;${'x'.repeat(500)}`])(
    'names no original recipient as %s',
    (parameter) => {
      expect(say(MAIL, `RCPT TO:<c@d.example> ${parameter}`).codes.at(-1)).toBe(501)
    },
  )

  it('has no other words behind RCPT', () => {
    expect(say(MAIL, 'RCPT TO:<c@d.example> RET=FULL').codes.at(-1)).toBe(555)
  })
})

it('xtext holds any ASCII and gives it back', () => {
  const ascii = fc.string({ unit: fc.integer({ min: 0, max: 127 }).map((c) => String.fromCharCode(c)) })
  fc.assert(
    fc.property(ascii, (text) => {
      expect(isXtext(toXtext(text))).toBe(true)
      expect(fromXtext(toXtext(text))).toBe(text)
    }),
  )
})
