import { afterEach, describe, expect, it } from 'vitest'
import { bounceVerification } from '../../../src/config/sections/bounce-verification.ts'
import { destinations } from '../../../src/config/sections/destinations.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { tagAddress } from '../../../src/mail/smtp/bounce-tag.ts'
import { EMPTY_DESTINATION } from '../../../src/shell/format/destinations.ts'
import { mailPath } from '../../support/mail-path.ts'
import { scriptedSmtp } from '../../support/scripted-smtp.ts'
import type { Script } from '../../support/scripted-smtp.ts'
import { SmtpClient } from '../../support/smtp-client.ts'
import { newEntry } from '../../support/spool.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const key = { number: 0, key: 'the key of today', madeAt: 0 }
const ON = { tagOutgoing: true, untagged: 'reject' as const, keys: [key] }

const receiver = async (settings: typeof bounceVerification.defaults) => {
  const path = await mailPath()
  stops.push(path.stop)
  path.config.set(bounceVerification, settings)
  await path.smtp.start(path.config, new AbortController().signal)
  const smtp = await SmtpClient.open(path.port())
  stops.push(() => smtp.close())
  return { path, smtp }
}

describe('a bounce', () => {
  it('to a tagged address is taken, for the address under the tag', async () => {
    const { path, smtp } = await receiver(ON)
    await smtp.command('MAIL FROM:<>', 250)
    await smtp.command(`RCPT TO:<${tagAddress('joe@example.com', key, new Date()).toUpperCase()}>`, 250)
    expect(path.of('message.recipient').map((e) => e.recipient)).toEqual(['JOE@EXAMPLE.COM'])
  })

  it('to an untagged, forged or expired address is refused; postmaster and other senders are not', async () => {
    const { path, smtp } = await receiver(ON)
    const expired = tagAddress('joe@example.com', key, new Date(Date.now() - 9 * 86_400_000))
    const forged = tagAddress('joe@example.com', { ...key, key: 'another' }, new Date())
    await smtp.command('MAIL FROM:<>', 250)
    for (const to of ['joe@example.com', expired, forged])
      expect((await smtp.command(`RCPT TO:<${to}>`)).text).toMatch(/^550 5\.7\.1 |^5\.7\.1 /)
    expect(path.of('message.recipient-rejected').map((e) => [e.recipient, e.by])).toEqual(
      ['joe@example.com', expired, forged].map((to) => [to, 'bounce verification']),
    )
    await smtp.command('RCPT TO:<postmaster@example.com>', 250)
    await smtp.command('RSET', 250)
    await smtp.command('MAIL FROM:<ann@sender.example>', 250)
    await smtp.command('RCPT TO:<joe@example.com>', 250)
  })

  it('is taken as ever when nothing was switched on', async () => {
    const { smtp } = await receiver(bounceVerification.defaults)
    await smtp.command('MAIL FROM:<>', 250)
    await smtp.command('RCPT TO:<joe@example.com>', 250)
    await smtp.command(`RCPT TO:<${tagAddress('joe@example.com', key, new Date())}>`, 250)
  })

  it('to a tag that was made before all was switched off still finds its address', async () => {
    const { path, smtp } = await receiver({ ...bounceVerification.defaults, keys: [key] })
    await smtp.command('MAIL FROM:<>', 250)
    await smtp.command(`RCPT TO:<${tagAddress('joe@example.com', key, new Date())}>`, 250)
    expect(path.of('message.recipient')[0]?.recipient).toBe('joe@example.com')
  })
})

/** Of destconfig's default entry, and of one for there.example. */
interface Tagging {
  readonly fallback: boolean | null
  readonly own: boolean | null
}

/** The senders that the next hop heard. */
const sent = async (
  settings: typeof bounceVerification.defaults,
  over: object,
  to: string,
  script?: Script,
  tagging?: Tagging,
) => {
  const path = await mailPath()
  stops.push(path.stop)
  const server = await scriptedSmtp(script)
  stops.push(server.close)
  path.config.set(bounceVerification, settings)
  if (tagging)
    path.config.set(destinations, {
      default: { ...destinations.defaults.default, bounceVerification: tagging.fallback },
      domains: [{ domain: 'there.example', ...EMPTY_DESTINATION, bounceVerification: tagging.own }],
    })
  const hosts = [`127.0.0.1:${server.port}`]
  path.config.set(smtpRoutes, [
    { domain: 'ALL', hosts },
    { domain: 'example.com', hosts },
  ])
  await path.spool.accept(
    newEntry(path.counters.next('mid'), {
      state: { kind: 'queued' },
      direction: 'outgoing',
      sender: 'joe@example.com',
      recipients: [{ rid: 0, address: to }],
      body: Buffer.from('Subject: hi\r\n\r\nBody\r\n'),
      receivedAt: new Date(),
      ...over,
    }),
  )
  await path.queue.start(path.config, new AbortController().signal)
  await path.until('message.finished', 1 + (script ? 1 : 0))
  await path.queue.idle()
  return { mails: server.mails, path }
}

describe('the return path', () => {
  it('of outgoing mail is tagged when that is on', async () => {
    const { mails } = await sent(ON, {}, 'ann@there.example')
    expect(mails.map((m) => m.from)).toEqual([tagAddress('joe@example.com', key, new Date())])
  })

  it.each([
    ['nothing is switched on', bounceVerification.defaults, {}, 'ann@there.example', 'joe@example.com'],
    ['the sender is null', ON, { sender: '' }, 'ann@there.example', ''],
    ['the sender is not ours', ON, { sender: 'x@sender.example' }, 'ann@there.example', 'x@sender.example'],
    ['the mail comes in', ON, { direction: 'incoming' }, 'ann@there.example', 'joe@example.com'],
    ['the mail stays with us', ON, {}, 'ann@example.com', 'joe@example.com'],
  ])('stays as it is when %s', async (_why, settings, over, to, from) => {
    const { mails } = await sent(settings, over, to)
    expect(mails.map((m) => m.from)).toEqual([from])
  })

  it.each([
    [true, null, null, true],
    [true, null, false, false],
    [true, false, null, false],
    [true, false, true, true],
    [false, null, true, true],
    [false, true, null, true],
    [false, null, null, false],
  ])(
    'with bvconfig %s, the default entry %s and its own entry %s is tagged: %s',
    async (all, fallback, own, tagged) => {
      const settings = { ...ON, tagOutgoing: all, untagged: 'accept' as const }
      const { mails } = await sent(settings, {}, 'ann@there.example', undefined, { fallback, own })
      expect(mails[0]?.from.startsWith('prvs=')).toBe(tagged)
    },
  )

  it('does not show in our own notice of failure, which goes untagged to the sender', async () => {
    const refuse: Script = (line) => (/^RCPT TO:<ann@/i.test(line) ? '550 5.1.1 nobody' : undefined)
    const { mails } = await sent(ON, {}, 'ann@there.example', refuse)
    expect(mails.map((m) => [m.from, m.to])).toEqual([['', ['joe@example.com']]])
    expect(mails[0]?.data).not.toContain('prvs=')
  })
})
