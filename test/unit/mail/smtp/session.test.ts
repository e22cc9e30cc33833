import { describe, expect, it } from 'vitest'
import { SmtpSession } from '../../../../src/mail/smtp/session.ts'
import type { SmtpSettings } from '../../../../src/mail/smtp/session-types.ts'
import { converse } from '../../../support/smtp-conversation.ts'

const SETTINGS: SmtpSettings = {
  hostname: 'mail.example.com',
  greeting: 'ESMTP',
  tls: 'preferred',
  maxMessages: 100,
  maxRecipients: 3,
  maxMessageBytes: 100_000,
  bareNewlines: 'reject',
}
const talk = (input: string, over: Partial<SmtpSettings> = {}) =>
  converse(new SmtpSession({ ...SETTINGS, ...over }), [Buffer.from(input, 'latin1')])
const HELLO = 'EHLO client.example\r\n'
const OPEN = `${HELLO}MAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n`
const codes = (text: string, over: Partial<SmtpSettings> = {}) => talk(text, over).codes

describe('the SMTP session', () => {
  it('offers what it can and neither CHUNKING nor AUTH', () => {
    const { replies } = talk(HELLO)
    expect(replies[1]).toBe(
      '250-mail.example.com\r\n250-8BITMIME\r\n250-SIZE 100000\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n',
    )
    expect(talk(HELLO, { tls: 'off' }).replies[1]).not.toContain('STARTTLS')
  })

  it('does not end the conversation for recipients above the limit: the others get their message', () => {
    const many = Array.from({ length: 120 }, (_, i) => `RCPT TO:<u${i}@example.com>\r\n`).join('')
    const { codes, messages } = talk(`${HELLO}MAIL FROM:<a@b.example>\r\n${many}DATA\r\nx\r\n.\r\nQUIT\r\n`)
    expect(codes.filter((c) => c === 452)).toHaveLength(117)
    expect(codes.slice(-3)).toEqual([354, 250, 221])
    expect(messages).toHaveLength(1)
  })

  it('ends a conversation of errors, which a message that is taken makes good', () => {
    const wrong = 'NONSENSE\r\n'.repeat(40)
    expect(talk(`${HELLO}${wrong}${wrong}`).codes.slice(-2)).toEqual([500, 421])
    const delivers = `${HELLO}${wrong}MAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nx\r\n.\r\n${wrong}QUIT\r\n`
    expect(talk(delivers).codes.at(-1)).toBe(221)
  })

  it('takes the line behind an AUTH line that cannot be read for a command', () => {
    const session = new SmtpSession({ ...SETTINGS, smtpAuth: 'preferred' })
    session.secured()
    const { codes } = converse(session, [
      Buffer.from(`${HELLO}AUTH LOGIN\r\n${'A'.repeat(13_000)}\r\nNOOP\r\nAUTH LOGIN\r\n${'A'.repeat(4000)}\r\n`),
    ])
    expect(codes).toEqual([220, 250, 334, 500, 250, 334, 334])
  })

  it('takes a pipelined message and removes the dot-stuffing', () => {
    const { codes, messages } = talk(`${OPEN}Subject: x\r\n\r\n..\r\n..dot\r\nend\r\n.\r\nQUIT\r\n`)
    expect(codes).toEqual([220, 250, 250, 250, 354, 250, 221])
    expect(messages).toEqual(['Subject: x\r\n\r\n.\r\n.dot\r\nend\r\n'])
  })

  it.each([
    ['LF . LF', '\n.\n'],
    ['LF . CRLF', '\n.\r\n'],
    ['CR . CR', '\r.\r'],
    ['CRLF . CR', '\r\n.\r'],
    ['CRLF . LF', '\r\n.\n'],
    ['CR . CRLF', '\r.\r\n'],
    ['CR CRLF . CRLF behind a CR', '\r\r\n\n.\r\n'],
    ['NUL before the CRLF', '\r\n.\0\r\n'],
    ['NUL before the dot', '\r\n\0.\r\n'],
  ])('does not take %s for the end of a message', (_name, end) => {
    const evil =
      'MAIL FROM:<evil@evil.example>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n'
    const refused = talk(`${OPEN}a${end}${evil}`)
    expect(refused.messages).toEqual([])
    expect(refused.codes.slice(0, 6)).toEqual([220, 250, 250, 250, 354, 550])
    const converted = talk(`${OPEN}a${end}${evil}`, { bareNewlines: 'convert' })
    expect(converted.messages).toHaveLength(1)
    expect(converted.messages[0]).toContain('smuggled')
    expect(converted.messages[0]).not.toMatch(/[^\r]\n|\r[^\n]|\0/)
  })

  it('refuses commands that end in a bare LF, or takes them as the listener says', () => {
    expect(codes('NOOP\nNOOP\r\n')).toEqual([220, 500, 250])
    expect(codes('NOOP\nNOOP\r\n', { bareNewlines: 'convert' })).toEqual([220, 250, 250])
    expect(codes('NOOP\rRSET\r\n', { bareNewlines: 'convert' })).toEqual([220, 500])
  })

  it('reads nothing that stands behind STARTTLS in plain text', () => {
    const session = new SmtpSession(SETTINGS)
    const { codes, outputs } = converse(session, [Buffer.from(`${HELLO}STARTTLS\r\nRSET\r\nMAIL FROM:<a@b>\r\n`)])
    expect(codes).toEqual([220, 250, 220])
    expect(outputs.at(-1)?.kind).toBe('start-tls')
    session.feed(Buffer.from('NOOP\r\n'))
    session.secured()
    expect(session.helo).toBe('')
    expect(converse(session, [Buffer.from('MAIL FROM:<a@b.example>\r\n')], false).codes).toEqual([503])
    expect(converse(session, [Buffer.from(HELLO)], false).replies[0]).not.toContain('STARTTLS')
    expect(session.protocol).toBe('ESMTPS')
  })

  it('skips the octets of a BDAT that it does not offer', () => {
    expect(codes(`${HELLO}BDAT 12\r\nMAIL FROM:<>BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n`)).toEqual([220, 250, 502, 502, 250])
    expect(codes(`${HELLO}BDAT x\r\nNOOP\r\n`)).toEqual([220, 250, 421])
  })

  it.each([
    ['MAIL FROM:<a@b.example> SIZE=100001', 552],
    ['MAIL FROM:<a@b.example> SIZE=99999 BODY=8BITMIME SMTPUTF8', 250],
    ['MAIL FROM:<a@b.example> BODY=BINARY', 501],
    ['MAIL FROM:a@b.example', 501],
    ['MAIL FROM: <a@b.example>', 250],
    ['MAIL FROM:<>', 250],
    ['MAIL FROM:<@relay.example,@x.example:a@b.example>', 250],
    ['MAIL FROM:<"quoted > \\" text"@b.example>', 250],
    ['MAIL FROM:<a b@c.example>', 553],
    ['MAIL FROM:<a@[192.0.2.1]>', 250],
    ['MAIL FROM:<a@[300.0.2.1]>', 553],
    ['MAIL FROM:<a@-x.example>', 553],
    [`MAIL FROM:<${'a'.repeat(400)}@b.example>`, 553],
    ['MAIL FROM:<h\u00c3\u00a9@b.example>', 553],
    ['MAIL FROM:<h\u00c3\u00a9@b.example> SMTPUTF8', 250],
    ['MAIL FROM:<\u00ff@b.example>', 500],
    ['MAIL FROM:<a@b.example>\u0000', 500],
    ['AUTH PLAIN AA==', 502],
    ['VRFY x', 252],
    ['VRFY', 501],
    ['DATA', 503],
    ['RCPT TO:<c@example.com>', 503],
    ['STARTTLS now', 501],
    ['XYZZY', 500],
  ])('answers %s with %i', (line, code) => {
    expect(codes(`${HELLO}${line}\r\n`)).toEqual([220, 250, code])
  })

  it('takes a recipient once, in whatever case its domain is written', () => {
    const to = (address: string) => `RCPT TO:<${address}>\r\n`
    const { codes, outputs } = talk(
      `${HELLO}MAIL FROM:<>\r\n${to('Joe@example.com')}${to('Joe@EXAMPLE.com')}${to('joe@example.com')}`,
    )
    expect(codes.slice(-3)).toEqual([250, 250, 250])
    const taken = outputs.flatMap((o) => (o.kind === 'recipient' ? [o.address] : []))
    expect(taken).toEqual(['Joe@example.com', 'joe@example.com'])
  })

  it('holds to its limits', () => {
    const many = ['1', '2', '3', '4'].map((n) => `RCPT TO:<${n}@example.com>\r\n`).join('')
    expect(codes(`${HELLO}MAIL FROM:<>\r\n${many}RCPT TO:<1@example.com>\r\n`)).toEqual([
      220, 250, 250, 250, 250, 250, 452, 250,
    ])
    expect(codes(`${HELLO}NOOP ${'x'.repeat(3000)}\r\nNOOP\r\n`)).toEqual([220, 250, 500, 250])
    expect(codes(`${OPEN}${'x'.repeat(100_001)}\r\n.\r\nNOOP\r\n`)).toEqual([220, 250, 250, 250, 354, 552, 250])
    expect(codes('X\r\n'.repeat(60)).slice(-2)).toEqual([500, 421])
    expect(codes(`${OPEN}x\r\n.\r\nMAIL FROM:<>\r\n`, { maxMessages: 1 }).at(-1)).toBe(421)
    expect(codes(`${HELLO}MAIL FROM:<>\r\n`, { tls: 'required' }).at(-1)).toBe(530)
    expect(codes('GET / HTTP/1.1\r\nMAIL FROM:<>\r\n')).toEqual([220, 421])
  })

  it('says once that a transaction ended without a message', () => {
    const { outputs } = talk(`${HELLO}MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nEHLO x\r\nMAIL FROM:<>\r\nQUIT\r\n`)
    expect(outputs.filter((o) => o.kind === 'abandoned')).toHaveLength(3)
  })

  it('throws a message away and says 452 when memory runs out', () => {
    const session = new SmtpSession(SETTINGS)
    converse(session, [Buffer.from(`${OPEN}some text`)])
    session.overload()
    expect(converse(session, [Buffer.from(' more\r\n.\r\nNOOP\r\n')], false).codes).toEqual([452, 250])
  })
})
