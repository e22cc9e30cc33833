import { describe, expect, it } from 'vitest'
import type { SmtpClientSettings } from '../../../../../src/mail/smtp/client/session-types.ts'
import { dialogue, OFFER } from '../../../../support/smtp-dialogue.ts'

const GREETING = '220 mx.example ESMTP\r\n'
const ready = (offer = OFFER, settings: Partial<SmtpClientSettings> = {}) => {
  const d = dialogue(settings)
  d.hear(GREETING)
  d.hear(offer)
  d.heard()
  return d
}
const PLAIN = '250 mx.example\r\n'

describe('a pipelined message', () => {
  it('has its envelope in one write and its text in another', () => {
    const d = ready()
    d.send({ to: ['c@d.example', 'e@d.example'] })
    expect(d.said).toEqual([
      'MAIL FROM:<a@b.example> SIZE=21\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n',
    ])
    d.heard()
    d.hear('250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n')
    expect(d.heard()).toBe('Subject: hi\r\n\r\nBody\r\n.\r\n')
    d.hear('250 2.0.0 queued as 7\r\n')
    const taken = { ok: true, response: '250 2.0.0 queued as 7' }
    expect(d.results).toEqual([[taken, taken]])
  })

  it('goes to the recipients that were taken, and each of the others has its own answer', () => {
    const d = ready()
    d.send({ to: ['gone@d.example', 'c@d.example', 'full@d.example'] })
    d.hear('250 ok\r\n550 5.1.1 gone\r\n250 ok\r\n452 4.2.2 full\r\n354 go\r\n')
    d.hear('250 done\r\n')
    expect(d.results[0]?.map((r) => (r.ok ? 'ok' : `${r.permanent} ${r.status}`))).toEqual([
      'true 5.1.1',
      'ok',
      'false 4.2.2',
    ])
  })

  it('for which no recipient was taken ends with a lone dot when the host waits for it (RFC 2920)', () => {
    const d = ready()
    d.send()
    d.heard()
    d.hear('250 ok\r\n550 5.1.1 gone\r\n354 go\r\n')
    expect(d.heard()).toBe('.\r\n')
    expect(d.results).toEqual([])
    d.hear('554 5.5.1 no valid recipients\r\n')
    expect(d.results[0]?.[0]).toMatchObject({ ok: false, status: '5.1.1' })
    d.send()
    expect(d.heard()).toMatch(/^MAIL/)
  })

  it('is not sent when DATA is refused, and RSET goes before the next', () => {
    const d = ready()
    d.send()
    d.hear('250 ok\r\n250 ok\r\n451 4.3.0 later\r\n')
    expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: false, status: '4.3.0' })
    d.heard()
    d.send()
    expect(d.heard()).toMatch(/^RSET\r\nMAIL .*\r\nRCPT .*\r\nDATA\r\n$/)
    d.hear('250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n')
    d.hear('250 done\r\n')
    expect(d.results[1]?.[0]?.ok).toBe(true)
  })

  it('whose sender is refused takes that answer for every recipient', () => {
    const d = ready()
    d.send({ to: ['c@d.example', 'e@d.example'] })
    d.hear('553 5.1.8 no such sender\r\n503 no mail\r\n503 no mail\r\n503 no recipients\r\n')
    expect(d.results[0]).toHaveLength(2)
    for (const r of d.results[0] ?? []) expect(r).toMatchObject({ ok: false, permanent: true, status: '5.1.8' })
  })

  it('to too many recipients leaves the last ones for later (RFC 5321 4.5.3.1.10)', () => {
    const d = ready()
    d.send({ to: ['c@d.example', 'e@d.example'] })
    d.hear('250 ok\r\n250 ok\r\n552 too many\r\n354 go\r\n')
    d.hear('250 done\r\n')
    expect(d.results[0]?.[1]).toMatchObject({ ok: false, permanent: false, status: '4.5.3' })
  })
})

describe('without PIPELINING', () => {
  it('every command waits for its answer', () => {
    const d = ready(PLAIN)
    d.send()
    expect(d.heard()).toBe('MAIL FROM:<a@b.example>\r\n')
    d.hear('250 ok\r\n')
    expect(d.heard()).toBe('RCPT TO:<c@d.example>\r\n')
    d.hear('250 ok\r\n')
    expect(d.heard()).toBe('DATA\r\n')
    d.hear('354 go\r\n')
    expect(d.heard()).toMatch(/\r\n\.\r\n$/)
    d.hear('250 done\r\n')
    expect(d.results[0]?.[0]?.ok).toBe(true)
  })

  it('nothing follows refused recipients, and RSET stands alone before the next message', () => {
    const d = ready(PLAIN)
    d.send()
    d.hear('250 ok\r\n')
    d.hear('550 5.1.1 gone\r\n')
    expect(d.results[0]?.[0]).toMatchObject({ status: '5.1.1' })
    d.heard()
    d.send()
    expect(d.heard()).toBe('RSET\r\n')
    d.hear('250 ok\r\n')
    expect(d.heard()).toMatch(/^MAIL/)
  })

  it('a host that knows no EHLO hears HELO', () => {
    const d = dialogue()
    d.hear(GREETING)
    d.hear('502 what?\r\n')
    expect(d.heard()).toBe('EHLO mail.example.com\r\nHELO mail.example.com\r\n')
    d.hear(PLAIN)
    expect(d.others.map((o) => o.kind)).toEqual(['ready'])
  })
})

describe('a host that goes away', () => {
  const AT = ['', '250 ok\r\n', '250 ok\r\n250 ok\r\n', '250 ok\r\n250 ok\r\n354 go\r\n']
  it.each(AT)('by 421 after %j leaves the message for later', (before) => {
    const d = ready()
    d.send()
    d.hear(`${before}421 4.3.2 closing\r\n`)
    expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: false, code: '421', status: '4.3.2' })
    expect(d.session.alive).toBe(false)
  })

  it.each(AT)('by closing after %j leaves the message for later', (before) => {
    const d = ready()
    d.send()
    d.hear(before)
    d.run(d.session.lost('the host closed the connection'))
    expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: false, code: '000', status: '4.4.2' })
  })

  it('keeps the answer of a recipient that it had refused before', () => {
    const d = ready()
    d.send({ to: ['gone@d.example', 'c@d.example'] })
    d.hear('250 ok\r\n550 5.1.1 gone\r\n421 closing\r\n')
    expect(d.results[0]?.map((r) => !r.ok && r.status)).toEqual(['5.1.1', '4.0.0'])
  })

  it('between two messages has not heard of the second', () => {
    for (const end of ['lost', '421'] as const) {
      const d = ready()
      d.send()
      d.hear('250 ok\r\n250 ok\r\n354 go\r\n')
      d.hear('250 done\r\n')
      d.send()
      if (end === '421') d.hear('421 4.4.2 idle too long\r\n')
      else d.run(d.session.lost('the host closed the connection'))
      expect(d.results[1]).toBeNull()
    }
  })

  it('while nobody talks is noticed before the next message', () => {
    const d = ready()
    d.hear('421 4.3.2 shutting down\r\n')
    expect(d.session.alive).toBe(false)
  })

  it('that answers before the end of the text is left, and takes nothing', () => {
    const d = ready()
    d.run(
      d.session.send({ sender: '', recipients: [{ address: 'c@d.example' }], bytes: Buffer.from('x\r\n') }).slice(0, 1),
    )
    d.session.feed(Buffer.from('250 ok\r\n250 ok\r\n354 go\r\n'))
    d.run(d.session.feed(Buffer.from('250 done already\r\n')))
    expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: false })
    expect(d.session.alive).toBe(false)
  })
})

describe('what a host says', () => {
  it('without having been asked ends the connection', () => {
    const d = ready()
    d.hear('250 ok\r\n')
    expect(d.session.alive).toBe(false)
  })

  it.each(['HTTP/1.1 400 Bad Request\r\n', '99 x\r\n', '250x\r\n', `250-${'a'.repeat(5000)}`, '250-a\r\n'.repeat(200)])(
    'is not taken for an answer: %#',
    (text) => {
      const d = ready()
      d.send()
      d.hear(text)
      expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: false, status: '4.5.0' })
      expect(d.session.alive).toBe(false)
    },
  )

  it('over several lines is one answer, with all its words', () => {
    const d = ready()
    d.send()
    d.hear('250 ok\r\n550-5.7.1 one\r\n550 5.7.1 two\r\n503 no\r\n')
    expect(d.results[0]?.[0]).toMatchObject({ response: '550-5.7.1 one\n550 5.7.1 two', status: '5.7.1' })
  })

  it('in a greeting of 554 refuses the connection, not the message', () => {
    const d = dialogue()
    d.hear('554 5.7.1 not you\r\n')
    expect(d.others[0]).toMatchObject({ kind: 'failed', stage: 'greeting', failure: { permanent: false, code: '554' } })
  })
})

describe('STARTTLS', () => {
  const TLS = '250-mx.example\r\n250 STARTTLS\r\n'
  it('is used where it is offered, and plain text behind its answer is not read', () => {
    const d = dialogue({ tls: 'preferred' })
    d.hear(GREETING)
    d.hear(TLS)
    d.hear('220 go\r\n250 injected\r\n')
    expect(d.others.map((o) => o.kind)).toEqual(['start-tls'])
    d.heard()
    d.run(d.session.secured())
    expect(d.heard()).toBe('EHLO mail.example.com\r\n')
    expect(d.others).toHaveLength(1)
    d.hear(TLS)
    expect(d.others.at(-1)).toMatchObject({ kind: 'ready', tlsFailure: null })
  })

  it('that the host refuses leaves plain text where it is preferred', () => {
    const d = dialogue({ tls: 'preferred' })
    d.hear(GREETING)
    d.hear(TLS)
    d.hear('454 4.7.0 not now\r\n')
    expect(d.others).toMatchObject([{ kind: 'ready', tlsFailure: 'STARTTLS unexpected response 454 4.7.0 not now' }])
  })

  it.each([PLAIN, `${TLS}454 not now\r\n`])('that is required and does not come about ends the session', (text) => {
    const d = dialogue({ tls: 'required' })
    d.hear(GREETING + text)
    expect(d.others[0]).toMatchObject({ kind: 'failed', stage: 'tls' })
    expect(d.session.alive).toBe(false)
  })
})

describe('AUTH', () => {
  const auth = { user: 'gate', passphrase: 'secret' }
  const secured = (offer: string) => {
    const d = dialogue({ tls: 'required', auth })
    d.hear(`${GREETING}250-mx\r\n250 STARTTLS\r\n220 go\r\n`)
    d.run(d.session.secured())
    d.heard()
    d.hear(`250-mx\r\n250 AUTH ${offer}\r\n`)
    return d
  }
  it('PLAIN says everything at once', () => {
    const d = secured('LOGIN PLAIN')
    expect(d.heard()).toBe(`AUTH PLAIN ${Buffer.from('\0gate\0secret').toString('base64')}\r\n`)
    d.hear('235 welcome\r\n')
    expect(d.others.at(-1)?.kind).toBe('ready')
  })

  it('LOGIN answers its two questions', () => {
    const d = secured('LOGIN')
    d.hear('334 VXNlcm5hbWU6\r\n')
    d.hear('334 UGFzc3dvcmQ6\r\n')
    expect(d.heard()).toBe('AUTH LOGIN\r\nZ2F0ZQ==\r\nc2VjcmV0\r\n')
    d.hear('535 5.7.8 wrong\r\n')
    expect(d.others.at(-2)).toMatchObject({ kind: 'failed', stage: 'auth', failure: { permanent: false } })
  })

  it('never says the passphrase in plain text', () => {
    const d = dialogue({ tls: 'preferred', auth })
    d.hear(`${GREETING}250-mx\r\n250 AUTH PLAIN\r\n`)
    expect(d.heard()).toBe('EHLO mail.example.com\r\nQUIT\r\n')
    expect(d.others[0]).toMatchObject({ kind: 'failed', stage: 'auth' })
  })
})

describe('the limits of a host', () => {
  it('a message over its SIZE is not begun', () => {
    const d = ready()
    d.send({ bytes: Buffer.alloc(1001, 'x') })
    expect(d.heard()).toBe('')
    expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: true, status: '5.3.4' })
  })

  it('an address beyond ASCII is refused with 5.6.7 where SMTPUTF8 is missing, and the others go', () => {
    const d = ready('250-mx\r\n250 PIPELINING\r\n')
    d.send({ to: ['üser@d.example', 'c@bücher.example'] })
    expect(d.heard()).toBe('MAIL FROM:<a@b.example>\r\nRCPT TO:<c@xn--bcher-kva.example>\r\nDATA\r\n')
    d.hear('250 ok\r\n250 ok\r\n354 go\r\n')
    d.hear('250 done\r\n')
    expect(d.results[0]?.map((r) => (r.ok ? 'ok' : r.status))).toEqual(['5.6.7', 'ok'])
  })

  it('a header beyond ASCII that came with SMTPUTF8 needs it', () => {
    const bytes = Buffer.from('Subject: ü\r\n\r\nBody\r\n')
    const lacking = ready('250 mx\r\n')
    lacking.send({ bytes, utf8: true })
    expect(lacking.results[0]?.[0]).toMatchObject({ status: '5.6.9' })
    const able = ready()
    able.send({ bytes, utf8: true })
    expect(able.heard()).toContain(' SMTPUTF8\r\n')
    const legacy = ready('250-mx\r\n250 8BITMIME\r\n')
    legacy.send({ bytes })
    expect(legacy.heard()).toBe('MAIL FROM:<a@b.example> BODY=8BITMIME\r\n')
  })

  it('what was asked about notifications is told to hosts that offer DSN only', () => {
    const message = {
      sender: 'a@b.example',
      recipients: [
        { address: 'c@d.example', notify: ['SUCCESS', 'FAILURE'] as const, orcpt: 'rfc822;c+2Bx@d.example' },
        { address: 'e@d.example', notify: [] },
      ],
      ret: 'HDRS' as const,
      envid: 'QQ314159',
    }
    const able = ready()
    able.send(message)
    expect(able.heard()).toBe(
      'MAIL FROM:<a@b.example> SIZE=21 RET=HDRS ENVID=QQ314159\r\n' +
        'RCPT TO:<c@d.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c+2Bx@d.example\r\n' +
        'RCPT TO:<e@d.example> NOTIFY=NEVER\r\nDATA\r\n',
    )
    const lacking = ready('250-mx\r\n250 PIPELINING\r\n')
    lacking.send(message)
    expect(lacking.heard()).not.toMatch(/NOTIFY|ORCPT|RET|ENVID/)
  })

  it.each(['c@d.example>\r\nRCPT TO:<evil@x.example', 'c\0@d.example', 'no-at-sign', 'c@d .example'])(
    'no command is made of the address %j',
    (address) => {
      const d = ready()
      d.send({ to: [address] })
      expect(d.heard()).toBe('')
      expect(d.results[0]?.[0]).toMatchObject({ ok: false, permanent: true, status: '5.1.3' })
    },
  )
})

it('each state has its time (RFC 5321 4.5.3.2)', () => {
  const d = dialogue()
  expect(d.session.timeoutMs).toBe(300_000)
  d.hear(GREETING)
  d.hear('250 mx\r\n')
  expect(d.session.timeoutMs).toBeNull()
  d.send()
  d.hear('250 ok\r\n')
  expect(d.session.timeoutMs).toBe(300_000)
  d.hear('250 ok\r\n')
  expect(d.session.timeoutMs).toBe(120_000)
  d.hear('354 go\r\n')
  expect(d.session.timeoutMs).toBe(600_000)
})
