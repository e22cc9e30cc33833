import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { addressLists } from '../../../src/config/sections/address-lists.ts'
import { defaultHostAccess, plainPolicy } from '../../../src/config/sections/host-access.ts'
import type { MailFlowPolicy } from '../../../src/config/sections/host-access.ts'
import { acceptEntry, defaultListener } from '../../../src/config/sections/listeners.ts'
import type { Listener } from '../../../src/config/sections/listeners.ts'
import { receiving } from '../../../src/config/sections/receiving.ts'
import type { Resolver } from '../../../src/core/resolver.ts'
import { createAddressScores } from '../../../src/intel/address-score.ts'
import type { AddressScore } from '../../../src/intel/address-score.ts'
import { createDnsLists, listedName } from '../../../src/services/dns-lists.ts'
import { createRecipientLimit } from '../../../src/services/recipient-limit.ts'
import { createSenderDomains, senderRefusal } from '../../../src/services/sender-domain.ts'
import { scoreText } from '../../../src/services/smtp-admission.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { mailPath, noDns } from '../../support/mail-path.ts'
import type { MailPathOptions } from '../../support/mail-path.ts'
import { SmtpClient } from '../../support/smtp-client.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const dnsError = (code: string) => Promise.reject(Object.assign(new Error(code), { code }))

/** A listener on which everybody has one policy. */
const under = (policy: Partial<MailFlowPolicy>, listener: Partial<Listener> = {}): Partial<Listener> => ({
  hostAccess: {
    policies: [{ ...plainPolicy('P', 'ACCEPT'), ...policy }],
    groups: [{ name: 'G', hosts: ['127.0.0.0/8'], policy: '$P', comment: '' }],
    otherwise: '$P',
  },
  ...listener,
})
const started = async (
  options: MailPathOptions,
  prepare?: (config: Awaited<ReturnType<typeof mailPath>>['config']) => void,
) => {
  const path = await mailPath(options)
  prepare?.(path.config)
  stops.push(path.stop)
  await path.smtp.start(path.config, new AbortController().signal)
  return path
}
const firstWords = async (port: number): Promise<string> => {
  const socket: Socket = connect({ port, host: '127.0.0.1' })
  stops.push(() => socket.destroy())
  return await new Promise((resolve) => {
    socket.once('data', (d: Buffer) => resolve(d.toString('latin1')))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
    socket.once('close', () => resolve('closed'))
  })
}
const client = async (port: number) => {
  const made = await SmtpClient.open(port)
  stops.push(() => made.close())
  return made
}

describe('a client', () => {
  it('that is rejected hears the words of its policy and is closed', async () => {
    const path = await started({ listener: under({ behaviour: 'REJECT', rejectCode: 421, rejectText: 'not today' }) })
    expect(await firstWords(path.port())).toBe('421 4.7.1 not today\r\n')
    await path.until('connection.closed')
    expect(path.of('connection.policy')[0]).toMatchObject({
      behaviour: 'REJECT',
      senderGroup: 'G',
      match: '127.0.0.0/8',
    })
  })

  it('that is rejected at the recipient may talk, and its recipients are logged', async () => {
    const path = await started({ listener: under({ behaviour: 'REJECT' }) }, (config) =>
      config.set(receiving, { ...receiving.defaults, rejectAtRecipient: true }),
    )
    const smtp = await client(path.port())
    await smtp.command('MAIL FROM:<a@b.example>', 250)
    expect((await smtp.command('RCPT TO:<c@example.com>')).code).toBe(554)
    expect(path.of('connection.reject-delayed')).toEqual([
      { type: 'connection.reject-delayed', icid: 1, remoteAddress: '127.0.0.1' },
    ])
    expect(path.of('message.recipient-rejected')[0]).toMatchObject({
      recipient: 'c@example.com',
      by: 'Receiving Control',
    })
  })

  it('that is refused by TCP gets a reset, and one line with ICID 0', async () => {
    const path = await started({ listener: under({ behaviour: 'TCPREFUSE' }) })
    expect(await firstWords(path.port())).toMatch(/ECONNRESET|closed/)
    await path.until('connection.policy')
    expect(path.log.filter((e) => e.type.startsWith('connection.'))).toEqual([
      {
        type: 'connection.policy',
        icid: 0,
        behaviour: 'TCPREFUSE',
        senderGroup: 'G',
        match: '127.0.0.0/8',
        reputation: 'None',
        country: 'not enabled',
      },
    ])
  })

  it('has the banner, size and TLS of its policy', async () => {
    const path = await started({
      listener: under({ bannerText: 'hello friend', maxMessageBytes: 2048, tls: 'required' }),
    })
    const smtp = await client(path.port())
    expect(smtp.greeting).toBe('mail.example.com hello friend')
    expect((await smtp.command('EHLO x')).text).toContain('SIZE 2048\n')
    expect((await smtp.command('MAIL FROM:<a@b.example>')).code).toBe(530)
    expect(path.of('connection.tls-missing')).toHaveLength(1)
  })

  it('over the connections of its policy gets 421, whatever the listener grants others', async () => {
    const path = await started({ listener: under({ maxConcurrencyPerAddress: 1 }, { maxConcurrencyPerAddress: 50 }) })
    await client(path.port())
    expect(await firstWords(path.port())).toMatch(/^421 4\.7\.0 /)
  })

  it('over its recipients per hour is refused until the window ends, but for entries that bypass the limit', async () => {
    const recipientAccess = [{ ...acceptEntry('vip@example.com'), bypassLimits: true }, acceptEntry('example.com')]
    const path = await started({
      listener: under(
        { maxRecipientsPerHour: 2, limitCode: 450, limitText: '4.7.1 enough for now' },
        { recipientAccess },
      ),
    })
    const smtp = await client(path.port())
    await smtp.command('MAIL FROM:<>', 250)
    for (const name of ['a', 'b']) await smtp.command(`RCPT TO:<${name}@example.com>`, 250)
    expect(await smtp.command('RCPT TO:<c@example.com>')).toEqual({ code: 450, text: '4.7.1 enough for now' })
    await smtp.command('RCPT TO:<vip@example.com>', 250)
    expect(path.of('message.recipient-rejected')[0]?.by).toBe('Receiving Control')
  })

  it('whose sender has no domain is refused where the policy verifies senders', async () => {
    const resolver: Resolver = {
      ...noDns,
      resolve: (name, type) =>
        name === 'good.example' && type === 'MX'
          ? Promise.resolve([{ exchange: 'mx.good.example', priority: 10 }])
          : dnsError(name === 'slow.example' ? 'ESERVFAIL' : 'ENOTFOUND'),
    }
    const path = await started({ resolver, listener: under({ senderVerification: true }) })
    const smtp = await client(path.port())
    expect(await smtp.command('MAIL FROM:<a@gone.example>')).toEqual({
      code: 553,
      text: '5.1.8 Domain of sender address <a@gone.example> does not exist',
    })
    expect((await smtp.command('MAIL FROM:<a@slow.example>')).code).toBe(451)
    await smtp.command('MAIL FROM:<a@good.example>', 250)
    expect(path.of('connection.sender-refused').map((e) => e.why)).toEqual(['does not exist', 'could not be resolved'])
    expect(path.of('message.started')).toHaveLength(1)
  })

  it('is told who is no recipient, by an address list or by the mailboxes', async () => {
    const lists = (config: { set: (s: typeof addressLists, v: typeof addressLists.defaults) => unknown }) =>
      config.set(addressLists, [{ name: 'Staff', description: '', type: 'emails', entries: ['ann@example.com'] }])
    const path = await started({ listener: { recipientValidation: 'list', recipientList: 'Staff' } }, lists)
    const smtp = await client(path.port())
    await smtp.command('MAIL FROM:<>', 250)
    await smtp.command('RCPT TO:<Ann@example.com>', 250)
    await smtp.command('RCPT TO:<postmaster@example.com>', 250)
    expect((await smtp.command('RCPT TO:<bob@example.com>')).code).toBe(550)
    expect(path.of('message.recipient-rejected')[0]?.by).toBe('recipient validation')
    const other = await started({ listener: { recipientValidation: 'mailboxes' } })
    const second = await client(other.port())
    await second.command('MAIL FROM:<>', 250)
    expect((await second.command('RCPT TO:<ann@example.com>')).code).toBe(550)
  })

  it('hears the custom reply of a recipient', async () => {
    const entry = {
      ...acceptEntry('joe@example.com'),
      access: 'reject' as const,
      replyCode: 551,
      replyText: 'try ann@example.com',
    }
    const path = await started({ listener: { recipientAccess: [entry, ...defaultListener.recipientAccess] } })
    const smtp = await client(path.port())
    await smtp.command('MAIL FROM:<>', 250)
    expect(await smtp.command('RCPT TO:<joe@example.com>')).toEqual({ code: 551, text: '5.1.0 try ann@example.com' })
  })

  it('hears our own words where the code of its entry says the opposite of its access', async () => {
    const entry = (name: string, access: 'accept' | 'reject', replyCode: number) => ({
      ...acceptEntry(`${name}@example.com`),
      access,
      replyCode,
      replyText: 'x',
    })
    const recipientAccess = [entry('in', 'accept', 550), entry('out', 'reject', 250), entry('go', 'reject', 354)]
    const path = await started({ listener: { recipientAccess } })
    const smtp = await client(path.port())
    await smtp.command('MAIL FROM:<>', 250)
    expect(await smtp.command('RCPT TO:<in@example.com>')).toEqual({ code: 250, text: '2.1.5 recipient ok' })
    expect((await smtp.command('RCPT TO:<out@example.com>')).code).toBe(550)
    expect((await smtp.command('RCPT TO:<go@example.com>')).code).toBe(550)
  })

  it('is known by one name of its domain, in whichever letters it is written', async () => {
    const path = await started({ listener: { recipientAccess: [acceptEntry('xn--bcher-kva.example')] } })
    const smtp = await client(path.port())
    await smtp.command('MAIL FROM:<grüße@bücher.example> SMTPUTF8', 250)
    await smtp.command('RCPT TO:<jörg@bücher.example>', 250)
    await smtp.command('RCPT TO:<ann@BÜCHER.example>', 250)
    expect((await smtp.command('RCPT TO:<ann@bü／cher.example>')).code).toBe(553)
    expect(path.of('message.sender')[0]?.sender).toBe('grüße@xn--bcher-kva.example')
    expect(path.of('message.recipient').map((e) => e.recipient)).toEqual([
      'jörg@xn--bcher-kva.example',
      'ann@xn--bcher-kva.example',
    ])
  })
})

describe('what is asked about a client', () => {
  it('DNS lists: by the reversed address, once in five minutes, and only 127/8 is an answer', async () => {
    const asked: string[] = []
    const answers: Readonly<Record<string, string>> = {
      '1.2.0.192.bl.example': '127.0.0.2',
      '1.2.0.192.fake.example': '198.51.100.9',
    }
    const resolver: Resolver = {
      ...noDns,
      resolve: (name) => {
        asked.push(name)
        return name in answers ? Promise.resolve([answers[name]]) : dnsError('ENOTFOUND')
      },
    }
    const lists = createDnsLists(resolver, new FakeClock())
    expect(await lists.listed('192.0.2.1', 'bl.example')).toBe(true)
    expect(await lists.listed('192.0.2.1', 'bl.example')).toBe(true)
    expect(await lists.listed('192.0.2.1', 'fake.example')).toBe(false)
    expect(await lists.listed('192.0.2.2', 'bl.example')).toBe(false)
    expect(asked).toHaveLength(3)
  })

  it('DNS lists: what says that it does not answer lists nobody, and is asked again after half a minute', async () => {
    let asked = 0
    const answers = [['127.255.255.254'], null, ['127.0.0.4']]
    const resolver: Resolver = {
      ...noDns,
      resolve: () => {
        const answer = answers[asked++] ?? null
        return answer === null ? dnsError('ETIMEOUT') : Promise.resolve(answer)
      },
    }
    const clock = new FakeClock()
    const lists = createDnsLists(resolver, clock)
    for (const expected of [false, false, true]) {
      expect(await lists.listed('192.0.2.1', 'bl.example')).toBe(expected)
      expect(await lists.listed('192.0.2.1', 'bl.example')).toBe(expected)
      await clock.advance(30_001)
    }
    expect(asked).toBe(3)
  })

  it('DNS lists: IPv6 by its nibbles', () => {
    expect(listedName('2001:db8::1', 'bl.example')).toBe(
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example',
    )
  })

  it('the score of its address: never of a private one, and a silent service costs a second', async () => {
    const clock = new FakeClock()
    const asked: string[] = []
    const scores = createAddressScores({
      clock,
      lookup: () => ({
        name: 'test',
        sender: () => Promise.reject(new Error('not asked')),
        urls: ([url = '']) => {
          asked.push(url)
          if (url.includes('192.0.2.9')) return new Promise(() => undefined)
          const score = url.includes('192.0.2.1') ? -9.5 : null
          return Promise.resolve(new Map([[url, { url, level: 'unknown', score, category: null, because: null }]]))
        },
      }),
    })
    expect(scoreText(await scores.of('192.0.2.1'))).toBe('-9.5')
    expect(scoreText(await scores.of('2001:db8::2'))).toBe('None')
    for (const address of ['10.1.2.3', '127.0.0.1', '::1', 'fe80::1'])
      expect(scoreText(await scores.of(address))).toBe('rfc1918')
    expect(asked).toEqual(['http://192.0.2.1/', 'http://[2001:db8::2]/'])
    const silent: Promise<AddressScore> = scores.of('192.0.2.9')
    await clock.advance(1000)
    expect(scoreText(await silent)).toBe('unable to retrieve')
  })

  it('recipients: counted in a window that begins with the first', async () => {
    const clock = new FakeClock()
    const limit = createRecipientLimit(clock)
    expect([1, 2, 3].map(() => limit.take('a', 2, 3600))).toEqual([true, true, false])
    expect(limit.take('b', 2, 3600)).toBe(true)
    expect(limit.take('a', -1, 3600)).toBe(true)
    await clock.advance(3_600_001)
    expect(limit.take('a', 2, 3600)).toBe(true)
  })

  it('the domain of its sender: a null MX takes no mail (RFC 7505), and an address is enough', async () => {
    const resolver: Resolver = {
      ...noDns,
      resolve: (name, type) => {
        if (name === 'null.example' && type === 'MX') return Promise.resolve([{ exchange: '', priority: 0 }])
        if (name === 'plain.example' && type === 'AAAA') return Promise.resolve(['2001:db8::1'])
        return dnsError('ENODATA')
      },
    }
    const domains = createSenderDomains(resolver, new FakeClock())
    const { signal } = new AbortController()
    expect(await domains.state('null.example', signal)).toBe('has a null MX')
    expect(senderRefusal('a@null.example', 'has a null MX')).toMatch(/^550 5\.7\.27 /)
    expect(await domains.state('Plain.example', signal)).toBe('exists')
  })
})

describe('a balancer', () => {
  /** A header of version 2 with the client ::ffff:203.0.113.9. */
  const MAPPED = `0d0a0d0a000d0a515549540a21210024${'0'.repeat(20)}ffffcb007109${'0'.repeat(31)}1${'0019'.repeat(2)}`

  const behind = async (
    first: string | Buffer,
    listener: Partial<Listener> = {},
  ): Promise<{ text: string; path: Awaited<ReturnType<typeof started>> }> => {
    const path = await started({ listener: { proxyAddresses: ['127.0.0.0/8'], ...listener } })
    const socket = connect({ port: path.port(), host: '127.0.0.1' })
    stops.push(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.write(first)
    let text = ''
    socket.on('data', (d: Buffer) => (text += d.toString('latin1')))
    await new Promise((resolve) => socket.once('close', resolve))
    return { text, path }
  }

  it('names the client, and what the client said at once is not lost', async () => {
    const { text, path } = await behind('PROXY TCP4 192.0.2.77 10.0.0.1 4711 25\r\nEHLO x\r\nQUIT\r\n')
    expect(text).toContain('221 2.0.0')
    expect(path.of('connection.opened')[0]).toMatchObject({ remoteAddress: '192.0.2.77' })
  })

  it('that speaks for itself has its own address', async () => {
    const { path } = await behind('PROXY UNKNOWN\r\nQUIT\r\n')
    expect(path.of('connection.opened')[0]).toMatchObject({ remoteAddress: '127.0.0.1' })
  })

  it('names an IPv4 client in whatever form: its entry is not passed by', async () => {
    const hostAccess = {
      ...defaultHostAccess('public'),
      groups: [{ name: 'BAD', hosts: ['203.0.113.9'], policy: 'REJECT', comment: '' }],
    }
    for (const first of ['PROXY TCP6 ::ffff:cb00:7109 ::1 1 25\r\n', Buffer.from(MAPPED, 'hex')]) {
      const { text, path } = await behind(first, { hostAccess })
      expect(text).toMatch(/^554 /)
      expect(path.of('connection.opened')[0]).toMatchObject({ remoteAddress: '203.0.113.9' })
    }
  })

  it('without the header is hung up on', async () => {
    const { text, path } = await behind('EHLO x\r\n')
    expect(text).toBe('')
    expect(path.of('connection.opened')).toEqual([])
  })
})
