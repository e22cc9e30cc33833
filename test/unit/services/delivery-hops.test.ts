import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { bounceProfiles } from '../../../src/config/sections/bounce-profiles.ts'
import { delivery } from '../../../src/config/sections/delivery.ts'
import { destinations } from '../../../src/config/sections/destinations.ts'
import type { Destination } from '../../../src/config/sections/destinations.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { createDestinations } from '../../../src/services/destinations.ts'
import { createRecipientQuota } from '../../../src/services/recipient-quota.ts'
import type { QueuedRecipient } from '../../../src/store/spool.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPath, MailPathOptions } from '../../support/mail-path.ts'
import { SILENCE, scriptedSmtp } from '../../support/scripted-smtp.ts'
import type { Script } from '../../support/scripted-smtp.ts'
import { newEntry } from '../../support/spool.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const entryOf = (domain: string, over: Partial<Destination> = {}): Destination => ({
  domain,
  concurrency: null,
  messagesPerConnection: null,
  recipients: null,
  recipientMinutes: 60,
  tls: null,
  dane: null,
  mtaSts: null,
  bounceVerification: null,
  bounceProfile: null,
  ...over,
})

const routed = async (options: MailPathOptions = {}, script?: Script) => {
  const path = await mailPath(options)
  stops.push(path.stop)
  const server = await scriptedSmtp(script)
  stops.push(server.close)
  path.config.set(smtpRoutes, [{ domain: 'ALL', hosts: [`127.0.0.1:${server.port}`] }])
  return { path, server }
}
const start = async (path: MailPath) => await path.queue.start(path.config, new AbortController().signal)
const accept = async (path: MailPath, mid: number, to: readonly string[], over = {}) =>
  await path.spool.accept(
    newEntry(mid, {
      state: { kind: 'queued' },
      recipients: to.map((address, rid) => ({ rid, address })),
      body: Buffer.from('Subject: hi\r\n\r\nBody\r\n'),
      receivedAt: new Date(),
      ...over,
    }),
  )

describe('a next hop', () => {
  it('takes the mail of several domains over the same connection', async () => {
    const { path, server } = await routed({ keepConnectionMs: 10_000 })
    path.config.set(destinations, { ...destinations.defaults, domains: [entryOf('127.0.0.1', { concurrency: 1 })] })
    for (let mid = 1; mid <= 6; mid++) await accept(path, mid, [`x@domain${mid % 3}.example`])
    await start(path)
    await path.until('message.finished', 6)
    expect(server.mails).toHaveLength(6)
    expect(server.connections).toBe(1)
  })

  it('gets a new connection after the messages that one may carry', async () => {
    const { path, server } = await routed({ keepConnectionMs: 10_000 })
    path.config.set(destinations, {
      default: { ...destinations.defaults.default, concurrency: 1, messagesPerConnection: 2 },
      domains: [],
    })
    for (let mid = 1; mid <= 5; mid++) await accept(path, mid, ['x@far.example'])
    await start(path)
    await path.until('message.finished', 5)
    expect(server.connections).toBe(3)
  })

  it('backs off once for all its domains', async () => {
    const { path } = await routed()
    path.config.set(smtpRoutes, [{ domain: 'ALL', hosts: ['127.0.0.1:1'] }])
    for (let mid = 1; mid <= 40; mid++) await accept(path, mid, [`x@domain${mid}.example`])
    await start(path)
    await path.until('delivery.delayed')
    await path.queue.idle()
    expect(path.of('delivery.connection-error').length).toBeLessThanOrEqual(5)
  })

  it('gets a message that cannot be recorded again and again only in growing pauses', async () => {
    const clock = new FakeClock()
    const { path, server } = await routed({ clock })
    Object.assign(path.spool, { delivered: () => Promise.reject(new Error('the record is broken')) })
    await accept(path, 1, ['x@far.example'])
    await start(path)
    await path.until('system.fault')
    await path.queue.idle()
    for (let seconds = 0; seconds < 60; seconds += 5) {
      await clock.advance(5000)
      await path.queue.idle()
    }
    // After 5, 10, 20 and 40 seconds, not after every fifth.
    expect(server.mails.length).toBeGreaterThan(1)
    expect(server.mails.length).toBeLessThanOrEqual(5)
  })

  it('is left when TLS is required and it has none', async () => {
    const { path, server } = await routed({}, (line) => (line === 'STARTTLS' ? '502 5.5.1 no' : undefined))
    path.config.set(destinations, { ...destinations.defaults, domains: [entryOf('far.example', { tls: 'required' })] })
    await accept(path, 1, ['x@far.example'])
    await start(path)
    await path.until('delivery.delayed')
    expect(server.mails).toEqual([])
    expect(path.log.map((e) => e.type).filter((t) => t.startsWith('delivery.'))).toEqual([
      'delivery.tls-failed',
      'delivery.tls-required',
      'delivery.connection-error',
      'delivery.delayed',
    ])
    expect(path.of('delivery.delayed')[0]?.status).toBe('4.7.4')
  })

  it('is cleared of a refused transaction before the next message', async () => {
    let open = false
    const { path, server } = await routed({ keepConnectionMs: 10_000 }, (line) => {
      if (line === 'RSET') open = false
      if (line.startsWith('MAIL')) {
        if (open) return '503 5.5.1 nested MAIL command'
        open = true
      }
      if (line === '.') open = false
      return line.includes('<gone@') ? '550 5.1.1 no' : undefined
    })
    path.config.set(destinations, { default: { ...destinations.defaults.default, concurrency: 1 }, domains: [] })
    await accept(path, 1, ['gone@far.example'], { sender: '' })
    await accept(path, 2, ['x@far.example'])
    await start(path)
    await path.until('message.finished', 2)
    expect(server.mails).toHaveLength(1)
    expect(server.connections).toBe(1)
  })

  it('gets no more recipients in a span of time than destconfig says', async () => {
    const { path, server } = await routed()
    path.config.set(destinations, {
      ...destinations.defaults,
      domains: [entryOf('far.example', { recipients: 2, recipientMinutes: 60 })],
    })
    for (let mid = 1; mid <= 4; mid++) await accept(path, mid, ['x@far.example'])
    await accept(path, 5, ['x@other.example'])
    await start(path)
    await path.until('message.finished', 3)
    await path.queue.idle()
    expect(server.mails.map((m) => m.to[0]).sort()).toEqual(['x@far.example', 'x@far.example', 'x@other.example'])
    expect(path.spool.gauges().queuedRecipients).toBe(2)
  })
})

describe('a delivery that we stop ourselves', () => {
  it.each(['(greeting)', 'MAIL', 'DATA', '.'])('when the host hangs at %s is no attempt', async (state) => {
    let reached = (): void => undefined
    const there = new Promise<void>((resolve) => (reached = resolve))
    const { path } = await routed({}, (line) => {
      if (!line.startsWith(state)) return undefined
      reached()
      return SILENCE
    })
    path.config.set(delivery, { ...path.config.get(delivery), maxRetries: 0, replyTimeoutSeconds: 60 })
    await accept(path, 1, ['x@far.example'])
    await start(path)
    await there
    await path.queue.stop(0)
    expect(path.of('delivery.bounced')).toEqual([])
    expect(path.of('delivery.delayed')).toEqual([])
    expect(path.spool.queued(1)).toMatchObject([{ attempts: 0 }])
  })
})

describe('a bounce profile', () => {
  const profile = {
    name: 'partner',
    maxRetries: 0,
    maxQueueSeconds: 600,
    initialRetrySeconds: 60,
    maxRetrySeconds: 3600,
    sendBounces: 'no' as const,
    dsnFormat: 'default' as const,
    sendWarnings: 'default' as const,
    warningSeconds: 600,
    warningCount: 1,
    alternateAddress: null,
  }
  it('of a domain decides retries and notices', async () => {
    const { path, server } = await routed({}, (line) => (line.includes('far.example>') ? '450 4.2.0 later' : undefined))
    path.config.set(bounceProfiles, [profile])
    path.config.set(destinations, {
      ...destinations.defaults,
      domains: [entryOf('far.example', { bounceProfile: 'partner' })],
    })
    await accept(path, 1, ['x@far.example'])
    await start(path)
    await path.until('delivery.bounced')
    await path.queue.idle()
    expect(path.of('delivery.bounced')[0]?.status).toBe('5.4.7')
    expect(path.of('delivery.bounce-generated')).toEqual([])
    expect(server.mails).toEqual([])
  })

  it('warns the sender once when a message waits, and tries on', async () => {
    const { path, server } = await routed({}, (line) => (line.includes('far.example>') ? '450 4.2.0 later' : undefined))
    path.config.set(delivery, {
      ...delivery.defaults,
      sendWarnings: true,
      warningSeconds: 60,
      initialRetrySeconds: 1,
      maxRetrySeconds: 1,
    })
    await accept(path, 1001, ['x@far.example'])
    const queuedAt = Date.now() - 90_000
    await path.database.write([{ sql: 'UPDATE queue SET queued_at = ?', params: [queuedAt] }])
    await start(path)
    await path.until('delivery.delay-warned')
    await path.until('delivery.done')
    await path.until('delivery.delayed', 2)
    expect(path.of('delivery.delay-warned')).toHaveLength(1)
    const data = server.mails[0]?.data ?? ''
    expect(data).toContain('Action: delayed\r\nStatus: 4.2.0\r\nRemote-MTA: dns; 127.0.0.1\r\n')
    expect(data).toContain('Will-Retry-Until: ')
    expect(server.mails[0]?.from).toBe('')
    expect(path.spool.queued(1001)).toHaveLength(1)
  })
})

const row = (mid: number, domain: string): QueuedRecipient => ({
  mid,
  rid: 0,
  domain,
  address: `x@${domain}`,
  attempts: 0,
  nextAttemptAt: new Date(0),
  queuedAt: new Date(0),
  lastError: null,
})

describe('turns', () => {
  it('start no more jobs for a hop than its limit, and every domain gets one before any gets its second', () => {
    const domains = fc.uniqueArray(fc.stringMatching(/^[a-d]{1,2}$/), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(domains, fc.integer({ min: 1, max: 5 }), (names, limit) => {
        const all = createDestinations({ hopOf: (d) => d[0] ?? '', hopLimit: () => limit })
        for (const name of names) all.ready(name)
        const perHop = new Map<string, number>()
        const perDomain = new Map<string, number>()
        let mid = 0
        for (const domain of all.turns(0)) {
          all.claim(domain, [row(++mid, domain)])
          const hop = domain[0] ?? ''
          perHop.set(hop, (perHop.get(hop) ?? 0) + 1)
          perDomain.set(domain, (perDomain.get(domain) ?? 0) + 1)
        }
        for (const [hop, jobs] of perHop) {
          expect(jobs).toBe(limit)
          const own = names.filter((n) => n[0] === hop).map((n) => perDomain.get(n) ?? 0)
          expect(Math.max(...own) - Math.min(...own)).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('come again for what was held, and count its window', () => {
    const clock = new FakeClock()
    const quota = createRecipientQuota(clock)
    quota.take('a', 3, 5)
    expect(quota.room('a', 3)).toBe(0)
    const all = createDestinations({ hopOf: (d) => d, hopLimit: () => 1 })
    all.ready('a')
    all.hold('a', quota.freeAt('a'))
    expect([...all.turns(clock.now().getTime())]).toEqual([])
    expect(all.nextRetry()).toBe(clock.now().getTime() + 300_000)
    expect([...all.turns(clock.now().getTime() + 300_000)]).toEqual(['a'])
  })
})
