import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { delivery } from '../../../src/config/sections/delivery.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { Fault } from '../../../src/core/errors.ts'
import { newEntry } from '../../support/spool.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPath, MailPathOptions } from '../../support/mail-path.ts'
import { scriptedSmtp } from '../../support/scripted-smtp.ts'
import type { Script } from '../../support/scripted-smtp.ts'
import { SmtpClient } from '../../support/smtp-client.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const started = async (options: MailPathOptions = {}): Promise<MailPath> => {
  const path = await mailPath(options)
  stops.push(path.stop)
  await path.smtp.start(path.config, new AbortController().signal)
  await path.queue.start(path.config, new AbortController().signal)
  return path
}
const sink = async (script?: Script) => {
  const server = await scriptedSmtp(script)
  stops.push(server.close)
  return server
}
const MESSAGE = Buffer.from('Message-ID: <a@b>\r\nSubject: hi\r\n there\r\n\r\n.dot\r\n..\r\nBody\r\n')
const queued = (mid: number, to: readonly string[], over = {}) =>
  newEntry(mid, {
    state: { kind: 'queued' },
    recipients: to.map((address, rid) => ({ rid, address })),
    body: MESSAGE,
    receivedAt: new Date(),
    ...over,
  })
const types = (path: MailPath) => path.log.map((e) => e.type)

describe('a message from the socket to the mailbox', () => {
  it('is delivered byte for byte below the headers that we add, with its events in order', async () => {
    const path = await started({
      straight: true,
      onEnvelope: async () => path.events.publish({ type: 'sdr.unscanned', mid: 1, reason: 'pass 1' }),
    })
    const client = await SmtpClient.open(path.port())
    const reply = await client.send({ from: 'alice@sender.example', to: ['Bob@example.com'] }, MESSAGE)
    expect(reply).toMatchObject({ code: 250, text: '2.0.0 ok: Message 1 accepted' })
    await client.quit()
    await path.until('message.finished')
    await path.until('connection.closed')
    const folder = join(path.home, 'mailboxes', 'example.com', 'bob', 'new')
    const [name = ''] = readdirSync(folder)
    expect(name).toMatch(/^\d+\.M1R0\.mail\.example\.com$/)
    const text = readFileSync(join(folder, name), 'latin1')
    expect(text.endsWith(`\r\n${MESSAGE.toString('latin1')}`)).toBe(true)
    expect(text).toMatch(
      /^Return-Path: <alice@sender\.example>\r\nDelivered-To: Bob@example\.com\r\nReceived: from client\.example\.net \(unknown \[127\.0\.0\.1\]\)\r\n by mail\.example\.com \(Lychgate\) with ESMTP id 1\.[0-9a-f]{16};\r\n \w{3}, \d+ \w{3} \d{4} [\d:]{8} \+0000\r\nMessage-ID/,
    )
    expect(types(path).filter((t) => t !== 'connection.closed')).toEqual([
      'system.listening',
      'connection.opened',
      'connection.policy',
      'message.started',
      'message.sender',
      'sdr.unscanned',
      'message.recipient',
      'delivery.started',
      'delivery.done',
      'message.finished',
    ])
    expect(path.of('connection.closed')).toEqual([{ type: 'connection.closed', icid: 1, how: 'close' }])
    expect(path.ledger.byRoot(1)[0]).toMatchObject({
      via: 'maildir',
      location: name,
      messageId: '<a@b>',
      subject: 'hi\r\n there',
    })
    expect(text).toContain(` id ${path.ledger.byRoot(1)[0]?.receivedId};`)
  })

  it('is answered 452 when the disk is full, and the sender may try again', async () => {
    const path = await started({ spool: { accept: () => Promise.reject(new Fault('STORE_FULL', 'full')) } })
    const client = await SmtpClient.open(path.port())
    const reply = await client.send({ from: 'a@b.example', to: ['bob@example.com'] }, MESSAGE)
    expect(reply.code).toBe(452)
    expect(types(path).slice(-3)).toEqual(['connection.receiving-failed', 'message.aborted', 'message.finished'])
    expect((await client.command('NOOP')).code).toBe(250)
    client.close()
  })

  it('is refused for a domain that the listener does not accept', async () => {
    const path = await started()
    const client = await SmtpClient.open(path.port())
    await client.command('MAIL FROM:<>', 250)
    expect((await client.command('RCPT TO:<x@elsewhere.example>')).code).toBe(550)
    expect((await client.command('RCPT TO:<postmaster>')).code).toBe(250)
    expect((await client.command('RSET')).code).toBe(250)
    client.close()
    await path.until('connection.closed')
    expect(path.of('message.recipient-rejected')[0]).toMatchObject({
      mid: 1,
      recipient: 'x@elsewhere.example',
      by: 'RAT',
    })
    expect(path.of('message.recipient')[0]).toMatchObject({ rid: 0, recipient: 'postmaster@example.com' })
    expect(types(path).slice(-3)).toEqual(['message.aborted', 'message.finished', 'connection.closed'])
  })

  it('stays one when the reader moved it before the delivery was recorded', async () => {
    const path = await started()
    const entry = queued(1, ['bob@example.com'])
    await path.spool.accept(entry)
    path.queue.notify(1)
    await path.until('message.finished')
    const folder = join(path.home, 'mailboxes', 'example.com', 'bob')
    const [name = ''] = readdirSync(join(folder, 'new'))
    renameSync(join(folder, 'new', name), join(folder, 'cur', `${name}:2,S`))
    await path.queue.stop(0)
    // The same queue entry again, as after a crash between the link and the record.
    await path.spool.accept(entry)
    const again = await mailPath({ home: path.home })
    stops.push(again.stop)
    await again.queue.start(again.config, new AbortController().signal)
    await again.until('message.finished')
    expect([...readdirSync(join(folder, 'new')), ...readdirSync(join(folder, 'cur'))]).toEqual([`${name}:2,S`])
  })
})

describe('delivery to a next hop', () => {
  const routed = async (script?: Script) => {
    const path = await started()
    const server = await sink(script)
    path.config.set(smtpRoutes, [{ domain: 'ALL', hosts: [`127.0.0.1:${server.port}`] }])
    return { path, server }
  }

  it('sends our Received header and the body, dot-stuffed, and tells the host’s words', async () => {
    const { path, server } = await routed()
    await path.spool.accept(queued(1, ['x@far.example']))
    path.queue.notify(1)
    await path.until('delivery.closed')
    expect(server.mails).toHaveLength(1)
    expect(server.mails[0]).toMatchObject({ from: 'alice@sender.example', to: ['x@far.example'] })
    expect(server.mails[0]?.data).toMatch(/^Received: [^]*\r\n\r\n\.\.dot\r\n\.\.\.\r\nBody\r\n$/)
    expect(types(path).slice(1)).toEqual([
      'delivery.opened',
      'delivery.started',
      'delivery.done',
      'delivery.response',
      'message.finished',
      'delivery.closed',
    ])
    expect(path.of('delivery.response')[0]?.response).toBe('2.0.0 Ok: queued as 1')
  })

  it('never lets a bare line end out that would smuggle a second message', async () => {
    const { path, server } = await routed()
    const body = Buffer.from('Subject: x\r\n\r\na\n.\nMAIL FROM:<evil@x>\r\nb\r.\rc\r\n.\r\nQUIT\r\n')
    await path.spool.accept(queued(1, ['x@far.example'], { body }))
    path.queue.notify(1)
    await path.until('delivery.closed')
    expect(server.mails).toHaveLength(1)
    expect(server.mails[0]?.data).not.toMatch(/[^\r]\n|\r[^\n]/)
  })

  it('settles each recipient by its own reply and writes one notice', async () => {
    const { path, server } = await routed((line) => {
      if (line.includes('<gone@')) return '550 5.1.1 no such user\u0007'
      if (line.includes('<later@')) return '451 4.7.1 greylisted'
      return undefined
    })
    await path.spool.accept(queued(1, ['ok@far.example', 'gone@far.example', 'later@far.example']))
    path.queue.notify(1)
    await path.until('delivery.closed', 2)
    expect(path.of('delivery.bounced')[0]).toMatchObject({
      rid: 1,
      status: '5.1.1',
      code: '550',
      reason: 'Unknown address error',
    })
    expect(path.of('delivery.delayed')[0]).toMatchObject({ rid: 2, status: '4.7.1' })
    expect(path.spool.queued(1).map((r) => [r.rid, r.attempts])).toEqual([[2, 1]])
    const dsn = server.mails.find((m) => m.from === '')
    expect(dsn?.to).toEqual(['alice@sender.example'])
    expect(dsn?.data).toContain('Final-Recipient: rfc822;gone@far.example\r\nAction: failed\r\nStatus: 5.1.1')
    expect(dsn?.data).toContain(
      'Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@b>\r\nSubject: hi\r\n there\r\n',
    )
    expect(dsn?.data).not.toContain('Body')
    expect(dsn?.data).not.toContain('\u0007')
    expect(path.of('delivery.bounce-generated')).toEqual([
      { type: 'delivery.bounce-generated', mid: path.of('message.started').at(-1)?.mid, from: 1 },
    ])
  })

  it('never answers mail with a null sender', async () => {
    const { path } = await routed((line) => (line.startsWith('RCPT') ? '550 no' : undefined))
    await path.spool.accept(queued(1, ['gone@far.example'], { sender: '' }))
    path.queue.notify(1)
    await path.until('message.finished')
    expect(path.of('delivery.double-bounced')).toHaveLength(1)
    expect(path.spool.gauges().queuedRecipients).toBe(0)
  })

  it.each([
    ['refuses the connection', (line: string) => (line === '(greeting)' ? '554 go away' : undefined)],
    ['hangs up at the greeting', (line: string) => (line === '(greeting)' ? null : undefined)],
    ['hangs up at MAIL', (line: string) => (line.startsWith('MAIL') ? null : undefined)],
    ['hangs up at the final dot', (line: string) => (line === '.' ? null : undefined)],
    ['says 421 in the middle', (line: string) => (line.startsWith('RCPT') ? '421 bye' : undefined)],
    ['says 4xx to the message', (line: string) => (line === '.' ? '452 full' : undefined)],
    ['never answers', (line: string) => (line.startsWith('MAIL') ? '250-' : undefined)],
  ])('keeps the message when the host %s', async (_what, script) => {
    const { path } = await routed(script)
    await path.spool.accept(queued(1, ['x@far.example']))
    path.queue.notify(1)
    await path.until('delivery.delayed')
    await path.queue.idle()
    expect(path.spool.queued(1)[0]).toMatchObject({ attempts: 1 })
  })

  it('goes on to the next host, and past a dead domain, at once', async () => {
    const path = await started()
    const server = await sink()
    path.config.set(smtpRoutes, [
      { domain: 'far.example', hosts: ['127.0.0.1:1', `127.0.0.1:${server.port}`] },
      { domain: 'dead.example', hosts: ['127.0.0.1:1'] },
    ])
    for (let mid = 1; mid <= 50; mid++) await path.spool.accept(queued(mid, ['x@dead.example']))
    await path.spool.accept(queued(51, ['x@far.example']))
    path.queue.notify(1)
    path.queue.notify(51)
    await path.until('message.finished')
    expect(server.mails).toHaveLength(1)
    await path.queue.idle()
    // One failure of the host, not one per message, holds the rest back.
    expect(path.of('delivery.delayed').length).toBeLessThan(51)
  })

  it('gives a message up when it is too old', async () => {
    const { path } = await routed((line) => (line.startsWith('RCPT') ? '450 later' : undefined))
    path.config.set(delivery, { ...delivery.defaults, maxRetries: 0 })
    await path.spool.accept(queued(1, ['x@far.example'], { sender: '' }))
    path.queue.notify(1)
    await path.until('delivery.double-bounced')
    expect(path.of('delivery.double-bounced')[0]).toMatchObject({
      status: '5.4.7',
      reason: 'Delivery expired (message too old)',
    })
  })

  it('ends a loop', async () => {
    const { path, server } = await routed()
    const body = Buffer.from(`${'Received: x\r\n'.repeat(101)}\r\nBody\r\n`)
    await path.spool.accept(queued(1, ['x@far.example'], { body, sender: '' }))
    path.queue.notify(1)
    await path.until('message.finished')
    expect(path.of('delivery.double-bounced')[0]?.status).toBe('5.4.6')
    expect(server.mails).toEqual([])
  })

  it('sets a corrupt message aside and delivers the others', async () => {
    const { path, server } = await routed()
    // Read from the disk, as after a restart: a body of this size is not kept in memory.
    await path.spool.accept(queued(1, ['x@far.example'], { body: Buffer.alloc(300_000, 'x') }))
    await path.spool.accept(queued(2, ['x@far.example']))
    await path.database.write([{ sql: `UPDATE body SET sha256 = '00' WHERE id = 1` }])
    path.queue.notify(2)
    await path.until('message.finished')
    await path.queue.idle()
    expect(path.asideMids).toEqual([1])
    expect(server.mails).toHaveLength(1)
  })

  it('sends local mail once per key', async () => {
    const { path, server } = await routed()
    const mail = { key: 'k', from: '', to: ['x@far.example'], message: MESSAGE }
    const mid = await path.queue.enqueueLocal(mail)
    expect(await path.queue.enqueueLocal(mail)).toBe(mid)
    await path.until('message.finished')
    await path.queue.idle()
    expect(server.mails).toHaveLength(1)
  })
})
