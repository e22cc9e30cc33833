import { describe, expect, it } from 'vitest'
import { toMbox } from '../../../../src/mail/message/mbox.ts'

const at = new Date('2007-01-04T23:51:34Z')

describe('an mbox of one message', () => {
  it('begins with a separator, has bare line feeds and ends with an empty line', () => {
    expect(toMbox(Buffer.from('Subject: x\r\n\r\nbody'), 'a@example.com', at).toString()).toBe(
      'From a@example.com Thu Jan  4 23:51:34 2007\nSubject: x\n\nbody\n\n',
    )
  })

  it('has no second separator, whatever the message says', () => {
    const text = toMbox(Buffer.from('\r\nFrom x\r\n>From y\r\n'), '', at).toString()
    expect(text).toBe('From MAILER-DAEMON Thu Jan  4 23:51:34 2007\n\n>From x\n>>From y\n\n')
    expect(toMbox(Buffer.from('x'), 'a b\nFrom c', at).toString().split('\n')[0]).toBe(
      'From MAILER-DAEMON Thu Jan  4 23:51:34 2007',
    )
  })

  it('keeps every byte', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i).filter((i) => i !== 10 && i !== 13))
    expect(toMbox(bytes, '', at).includes(bytes)).toBe(true)
  })
})
