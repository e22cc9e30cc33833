import { describe, expect, test } from 'vitest'
import { dkimMatter, verifyDkim } from '../../../../src/mail/auth/dkim.ts'
import type { DkimMatter } from '../../../../src/mail/auth/dkim.ts'

const resolver = {
  resolve: async (): Promise<never> => {
    throw Object.assign(new Error('no answer'), { code: 'ENOTFOUND' })
  },
  reverse: async (): Promise<never> => {
    throw Object.assign(new Error('no answer'), { code: 'ENOTFOUND' })
  },
}
const message = (...fields: readonly string[]): Buffer => Buffer.from(`${fields.join('\r\n')}\r\n\r\nThe body.\r\n`)
const whole = (raw: Buffer): DkimMatter => ({ message: raw, partial: 0, unsigned: null, tooLong: false })

describe('what is verified of a message', () => {
  test.each([
    ['one address', message('Subject: x', 'From: Ann <ann@example.org>', 'To: b@example.net')],
    ['two fields', message('From: ann@example.org', 'Subject: x', 'FROM: bob@example.com')],
    ['a folded field', message('Subject: x', 'From: "Ann"\r\n <ann@example.org>,\r\n\tbob@example.com')],
    ['a blank before the colon', message('From : ann@example.org', 'Subject: x')],
    ['no From field', message('Subject: From: ann@example.org')],
    ['no body', Buffer.from('Subject: x\r\nFrom: ann@example.org')],
  ])('without a signature only the From fields count: %s', async (_what, raw) => {
    const matter = dkimMatter(raw)
    expect(matter.unsigned).not.toBeNull()
    expect(await verifyDkim(matter, resolver)).toEqual(await verifyDkim(whole(raw), resolver))
  })

  test.each(['DKIM-Signature: v=1; d=example.org', 'ARC-Seal: i=1; d=example.org'])(
    'a message with %s is read whole',
    (field) => {
      const raw = message('From: ann@example.org', field)
      expect(dkimMatter(raw)).toEqual(whole(raw))
    },
  )

  test('a signature with a body length is left out, and counted', () => {
    const raw = message('From: ann@example.org', 'DKIM-Signature: v=1; l=5; d=example.org')
    expect(dkimMatter(raw)).toEqual({
      message: message('From: ann@example.org'),
      partial: 1,
      unsigned: null,
      tooLong: false,
    })
  })
})
