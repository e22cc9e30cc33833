import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SaslExchange } from '../../../../src/mail/smtp/sasl.ts'
import { SmtpSession } from '../../../../src/mail/smtp/session.ts'
import type { SmtpOutput, SmtpSettings } from '../../../../src/mail/smtp/session-types.ts'

const SETTINGS: SmtpSettings = {
  hostname: 'mail.example.com',
  greeting: 'ESMTP',
  tls: 'preferred',
  smtpAuth: 'preferred',
  maxMessages: 100,
  maxRecipients: 3,
  maxMessageBytes: 100_000,
  bareNewlines: 'reject',
}
const b64 = (text: string): string => Buffer.from(text).toString('base64')

/** A session under TLS; answers to AUTH come from `known`. */
const talk = (settings: Partial<SmtpSettings> = {}, secure = true) => {
  const session = new SmtpSession({ ...SETTINGS, ...settings })
  const asked: unknown[] = []
  const take = (outputs: readonly SmtpOutput[]): string =>
    outputs
      .map((o) => {
        if (o.kind === 'reply') return o.text
        if (o.kind === 'sender') return take(session.answer({ accept: true, reply: null }))
        if (o.kind !== 'authenticate') return o.kind === 'auth-missing' ? '(auth missing)' : ''
        asked.push(o.credentials)
        return take(session.answer({ accept: o.credentials.passphrase === 'tränen', reply: null }))
      })
      .join('')
  const say = (line: string): string => take(session.feed(Buffer.from(`${line}\r\n`))).trim()
  session.greet()
  if (secure) {
    say('EHLO x')
    session.feed(Buffer.from('STARTTLS\r\n'))
    session.secured()
  }
  return { session, asked, say, ehlo: say('EHLO client.example') }
}

describe('AUTH', () => {
  it('is offered under TLS only, and refused without', () => {
    expect(talk().ehlo).toContain('250 AUTH PLAIN LOGIN')
    const plain = talk({}, false)
    expect(plain.ehlo).not.toContain('AUTH')
    expect(plain.say('AUTH PLAIN')).toMatch(/^538 5\.7\.11/)
    expect(talk({ smtpAuth: 'off' }).say('AUTH PLAIN')).toMatch(/^502/)
  })

  it('PLAIN takes the response with the command or after it', () => {
    const one = talk()
    expect(one.say(`AUTH PLAIN ${b64('\0ann\0tränen')}`)).toBe('235 2.7.0 authenticated')
    expect(one.asked).toEqual([{ mechanism: 'PLAIN', user: 'ann', passphrase: 'tränen' }])
    expect(one.session.protocol).toBe('ESMTPSA')
    const two = talk()
    expect(two.say('auth plain')).toBe('334')
    expect(two.say(b64('ann\0ann\0tränen'))).toBe('235 2.7.0 authenticated')
    expect(two.say('AUTH PLAIN')).toMatch(/^503/)
  })

  it('LOGIN asks for name and passphrase', () => {
    const { say, asked } = talk()
    expect(say('AUTH LOGIN')).toBe('334 VXNlcm5hbWU6')
    expect(say(b64('ann'))).toBe('334 UGFzc3dvcmQ6')
    expect(say(b64('wrong'))).toBe('535 5.7.8 the user name or passphrase is wrong')
    expect(say(`AUTH LOGIN ${b64('ann')}`)).toBe('334 UGFzc3dvcmQ6')
    expect(say(b64('tränen'))).toMatch(/^235/)
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['AUTH PLAIN not base64!', /^504/],
    ['AUTH PLAIN !!!!', /^501 5\.5\.2/],
    [`AUTH PLAIN ${b64('no separators')}`, /^501 5\.5\.2/],
    [`AUTH PLAIN ${b64('bob\0ann\0tränen')}`, /^501 5\.5\.2/],
    [`AUTH PLAIN ${b64('\0\0tränen')}`, /^501 5\.5\.2/],
    ['AUTH PLAIN =', /^501 5\.5\.2/],
    ['AUTH CRAM-MD5', /^504/],
    ['AUTH', /^504/],
  ])('answers %j', (line, reply) => {
    const { say, asked } = talk()
    expect(say(line)).toMatch(reply)
    expect(asked).toEqual([])
  })

  it('is cancelled by *, and what comes then is a command again', () => {
    const { say } = talk()
    say('AUTH LOGIN')
    expect(say('*')).toMatch(/^501 5\.7\.0/)
    expect(say('NOOP')).toMatch(/^250/)
  })

  it('is demanded before a message where the policy requires it', () => {
    const { say } = talk({ smtpAuth: 'required' })
    expect(say('MAIL FROM:<a@b.example>')).toMatch(/^\(auth missing\)530 5\.7\.0/)
    say(`AUTH PLAIN ${b64('\0ann\0tränen')}`)
    expect(say('MAIL FROM:<a@b.example> AUTH=<>')).toMatch(/^250/)
    expect(say('AUTH PLAIN')).toMatch(/^503/)
  })

  it('takes any line without a throw, and gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        new SaslExchange('PLAIN').next(line)
        new SaslExchange('LOGIN').begin(line)
      }),
    )
    const word = fc.stringMatching(/^[^\u0000]{1,20}$/).filter((w) => Buffer.from(w).toString('utf8') === w)
    fc.assert(
      fc.property(word, word, (user, passphrase) => {
        expect(new SaslExchange('PLAIN').next(b64(`\0${user}\0${passphrase}`))).toEqual({
          kind: 'done',
          credentials: { mechanism: 'PLAIN', user, passphrase },
        })
      }),
    )
  })
})
