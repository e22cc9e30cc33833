import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { delivery } from '../../src/config/sections/delivery.ts'
import { destinations } from '../../src/config/sections/destinations.ts'
import { smtpRoutes } from '../../src/config/sections/smtp-routes.ts'
import { mailPath } from '../support/mail-path.ts'
import type { MailPath } from '../support/mail-path.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/processes.ts'
import { SILENCE, scriptedSmtp } from '../support/scripted-smtp.ts'
import type { Script } from '../support/scripted-smtp.ts'
import { newEntry } from '../support/spool.ts'

type Hop = Awaited<ReturnType<typeof scriptedSmtp>>

const starts =
  (verb: string, reply: string | null): Script =>
  (line) =>
    line.startsWith(verb) ? reply : undefined

/** Each is a temporary fault: every recipient waits, tried once, and nobody is told. */
const DELAYING: Readonly<Record<string, Script>> = {
  'hangs before its greeting': starts('(greeting)', SILENCE),
  'hangs at EHLO': starts('EHLO', SILENCE),
  'hangs at MAIL': starts('MAIL', SILENCE),
  'hangs at RCPT': starts('RCPT', SILENCE),
  'hangs at DATA': starts('DATA', SILENCE),
  'hangs after the final dot': (line) => (line === '.' ? SILENCE : undefined),
  'closes before its greeting': starts('(greeting)', null),
  'closes at RCPT': starts('RCPT', null),
  'closes at DATA': starts('DATA', null),
  'closes after the final dot': (line) => (line === '.' ? null : undefined),
  'greets with 421': starts('(greeting)', '421 4.3.2 shutting down'),
  'greets with 554': starts('(greeting)', '554 5.7.1 not you'),
  'says 421 at MAIL': starts('MAIL', '421 4.3.2 shutting down'),
  'says 451 to every recipient': starts('RCPT', '451 4.7.1 greylisted'),
  'says 452 after the final dot': (line) => (line === '.' ? '452 4.3.1 disk full' : undefined),
  'speaks nonsense': starts('(greeting)', 'HTTP/1.1 400 Bad Request'),
}

describe('a next hop', () => {
  let path: MailPath
  let senders: Hop
  const hops: Hop[] = []
  const routes: { domain: string; hosts: string[] }[] = []

  const to = async (script: Script): Promise<{ readonly hop: Hop; readonly domain: string }> => {
    const hop = await scriptedSmtp(script)
    hops.push(hop)
    const domain = `hop${hops.length}.example.net`
    routes.push({ domain, hosts: [`127.0.0.1:${hop.port}`] })
    path.config.set(smtpRoutes, [...routes])
    return { hop, domain }
  }
  const send = async (domain: string, users: readonly string[]): Promise<number> => {
    const mid = path.counters.next('mid')
    const entry = newEntry(mid, {
      state: { kind: 'queued' },
      recipients: users.map((user, rid) => ({ rid, address: `${user}@${domain}` })),
      body: Buffer.from(`Message-ID: <${mid}@sender.example>\r\nSubject: number ${mid}\r\n\r\nbody\r\n`),
      receivedAt: new Date(),
    })
    await path.spool.accept(entry)
    path.queue.notify(entry.mid)
    return entry.mid
  }
  const waiting = (of: number) =>
    path.spool.queued(of).map((r) => ({ to: r.address.split('@')[0], attempts: r.attempts }))
  /** Notices that the sender got about a message. */
  const notices = (of: number) => senders.mails.filter((mail) => mail.data.includes(`<${of}@sender.example>`))

  beforeAll(async () => {
    path = await mailPath()
    senders = await scriptedSmtp()
    routes.push({ domain: 'sender.example', hosts: [`127.0.0.1:${senders.port}`] })
    path.config.set(smtpRoutes, [...routes])
    await path.queue.start(path.config, new AbortController().signal)
  })
  afterAll(async () => {
    await path.stop()
    for (const hop of [...hops, senders]) await hop.close()
  })

  it.each(Object.entries(DELAYING))(
    'that %s keeps the message in the queue, and nobody is told yet',
    async (_, script) => {
      const { hop, domain } = await to(script)
      const sent = await send(domain, ['a', 'b'])
      await until('the attempt is settled', () => waiting(sent).every((r) => r.attempts === 1), 12_000)
      expect(waiting(sent)).toEqual([
        { to: 'a', attempts: 1 },
        { to: 'b', attempts: 1 },
      ])
      for (const row of path.spool.queued(sent)) {
        expect(row.lastError).toBeTruthy()
        expect(row.nextAttemptAt.getTime()).toBeGreaterThan(Date.now())
      }
      expect(hop.mails).toEqual([])
      expect(notices(sent)).toEqual([])
    },
  )

  it('that refuses connections keeps the message in the queue', async () => {
    routes.push({ domain: 'refused.example.net', hosts: [`127.0.0.1:${await freePort()}`] })
    path.config.set(smtpRoutes, [...routes])
    const sent = await send('refused.example.net', ['a'])
    await until('the attempt is settled', () => waiting(sent)[0]?.attempts === 1)
    expect(notices(sent)).toEqual([])
  })

  it('that takes one recipient, delays one and refuses one settles each by its own reply', async () => {
    const { hop, domain } = await to((line) =>
      line.startsWith('RCPT TO:<later@')
        ? '450 4.2.1 busy'
        : line.startsWith('RCPT TO:<never@')
          ? '550 5.1.1 nobody'
          : undefined,
    )
    const sent = await send(domain, ['now', 'later', 'never'])
    await until('the notice is out', () => notices(sent).length === 1)
    expect(waiting(sent)).toEqual([{ to: 'later', attempts: 1 }])
    expect(hop.mails.map((mail) => mail.to)).toEqual([[`now@${domain}`]])
    const [notice] = notices(sent)
    expect(notice?.from).toBe('')
    expect(notice?.to).toEqual(['alice@sender.example'])
    expect(notice?.data).toMatch(/multipart\/report;[^]*report-type=delivery-status/i)
    expect(notice?.data).toMatch(
      new RegExp(`Final-Recipient: rfc822; ?never@${domain}\r\nAction: failed\r\nStatus: 5\\.1\\.1`),
    )
    expect(notice?.data).not.toMatch(/Final-Recipient: rfc822; ?(now|later)@/)
  })

  it('that refuses the message after the final dot gets it back to the sender, all recipients in one notice', async () => {
    const { hop, domain } = await to((line) => (line === '.' ? '554 5.6.0 not like this' : undefined))
    const sent = await send(domain, ['a', 'b'])
    await until('the notice is out', () => notices(sent).length === 1)
    expect(waiting(sent)).toEqual([])
    expect(path.spool.entry(sent)).toBeUndefined()
    expect(hop.mails).toEqual([])
    expect(notices(sent)[0]?.data.match(/^Status: 5\.6\.0/gm)).toHaveLength(2)
  })

  it('whose TLS is broken gets the message without, where TLS is only preferred', async () => {
    // What comes after its 220 is no handshake: the next reply is in plain text.
    const { hop, domain } = await to((line) =>
      line.startsWith('EHLO')
        ? '250-sink.example\r\n250 STARTTLS'
        : line === 'STARTTLS'
          ? '220 go ahead\r\n250 no TLS here'
          : undefined,
    )
    const sent = await send(domain, ['a'])
    await until('it is delivered or delayed', () => hop.mails.length > 0 || waiting(sent)[0]?.attempts === 1)
    expect(path.of('delivery.tls-failed')).toHaveLength(1)
    expect([hop.mails.length, waiting(sent).length]).toEqual([1, 0])
  })

  describe('where TLS is required', () => {
    beforeAll(() => {
      const { default: fallback } = destinations.defaults
      // The sender's own host has no TLS, and is to get the notices.
      const back = { ...fallback, domain: 'sender.example', tls: 'no' } as const
      path.config.set(destinations, { default: { ...fallback, tls: 'required' }, domains: [back] })
    })
    afterAll(() => void path.config.set(destinations, destinations.defaults))
    const ehlo = '250-sink.example\r\n250 STARTTLS'

    it.each<readonly [string, Script]>([
      ['that does not offer it', () => undefined],
      [
        'that refuses STARTTLS',
        (l) => (l.startsWith('EHLO') ? ehlo : l === 'STARTTLS' ? '454 4.7.0 not now' : undefined),
      ],
      [
        'whose handshake is broken',
        (l) => (l.startsWith('EHLO') ? ehlo : l === 'STARTTLS' ? '220 go ahead\r\n250 no TLS here' : undefined),
      ],
      ['that hangs in the handshake', (l) => (l.startsWith('EHLO') ? ehlo : l === 'STARTTLS' ? '220 go' : undefined)],
      ['that hangs up at STARTTLS', (l) => (l.startsWith('EHLO') ? ehlo : l === 'STARTTLS' ? null : undefined)],
    ])('a host %s hears no envelope, the message waits, and nobody is told yet', async (_, script) => {
      const said: string[] = []
      const { hop, domain } = await to((line) => {
        said.push(line)
        return script(line)
      })
      const sent = await send(domain, ['a'])
      await until('the attempt is settled', () => waiting(sent)[0]?.attempts === 1, 12_000)
      expect(said.filter((line) => /^(MAIL|RCPT|DATA)/.test(line))).toEqual([])
      expect(hop.mails).toEqual([])
      expect(notices(sent)).toEqual([])
      expect(path.spool.queued(sent)[0]?.lastError).toBeTruthy()
      const told = path.of('delivery.delayed').filter((e) => e.mid === sent)
      expect(told.map((e) => e.status)).toEqual([expect.stringMatching(/^4\.(7|4)\./)])
    })

    it('and never comes about the sender gets a notice when the life of the message ends', async () => {
      const { hop, domain } = await to(() => undefined)
      path.config.set(delivery, { ...path.config.get(delivery), maxRetries: 0 })
      const sent = await send(domain, ['a'])
      await until('the message has left the queue', () => waiting(sent).length === 0, 12_000)
      path.config.set(delivery, { ...path.config.get(delivery), maxRetries: delivery.defaults.maxRetries })
      expect(hop.mails).toEqual([])
      const [bounced] = path.of('delivery.bounced').filter((e) => e.mid === sent)
      expect(bounced).toMatchObject({ status: '5.4.7' })
      await until('the notice is out', () => notices(sent).length === 1)
      expect(notices(sent)[0]?.data).toMatch(/^Action: failed\r\nStatus: 5\.4\.7/m)
    })
  })
})
