import { simpleParser } from 'mailparser'
import { describe, expect, it } from 'vitest'
import { createForwarder } from '../../../src/remediation/forward.ts'
import { testEnv } from '../../support/env.ts'
import { delivery } from '../../support/remediation.ts'
import { TestConfig } from '../../support/retro.ts'

const live = new AbortController().signal
const forwardOf = async (original: string, more = {}) => {
  const sent: { key: string; from: string; to: readonly string[]; message: Uint8Array }[] = []
  const forwarder = createForwarder({
    env: testEnv(),
    config: new TestConfig(),
    send: async (mail) => void sent.push(mail),
  })
  await forwarder.forward('k', 'soc@example.com', Buffer.from(original), delivery(6, more), live)
  const [mail] = sent
  if (!mail) throw new Error('not sent')
  return { ...mail, text: Buffer.from(mail.message).toString('latin1') }
}

describe('the forwarded mail', () => {
  it('carries the original unchanged as message/rfc822, from the null sender, under its key', async () => {
    const original = 'From: a@x.example\r\nSubject: hi\r\n\r\n--boundary\r\nBöse \r\n'
    const mail = await forwardOf(original)
    expect(mail).toMatchObject({ key: 'k', from: '', to: ['soc@example.com'] })
    expect(Buffer.from(mail.message).includes(Buffer.from(original))).toBe(true)
    const parsed = await simpleParser(Buffer.from(mail.message))
    expect(parsed.attachments).toMatchObject([{ contentType: 'message/rfc822', filename: 'message.eml' }])
    expect(parsed.date).toEqual(new Date('2022-03-30T00:20:10Z'))
  })

  it('has only CRLF as line ends and lets no header in', async () => {
    const subject = 'x\r\nBcc: all@example.com'
    const mail = await forwardOf('Subject: a\n\nline\rline\n', { subject, messageId: '<a@x>\r\nX-Evil: 1' })
    expect(mail.text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(mail.text).not.toMatch(/\r\n(?:Bcc|X-Evil):/)
  })
})
