import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { delivery } from '../../../src/config/sections/delivery.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import type { NewSpoolEntry } from '../../../src/store/spool.ts'
import { mailPath } from '../../support/mail-path.ts'
import { scriptedSmtp } from '../../support/scripted-smtp.ts'
import type { Script } from '../../support/scripted-smtp.ts'
import { newEntry } from '../../support/spool.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const OFFER = '250-sink.example\r\n250-DSN\r\n250 PIPELINING'
const offering: Script = (line) => (line.startsWith('EHLO') ? OFFER : undefined)

const deliver = async (entry: Partial<NewSpoolEntry>, script?: Script, settings = {}) => {
  const path = await mailPath()
  stops.push(path.stop)
  const said: string[] = []
  const server = await scriptedSmtp((line) => {
    said.push(line)
    return script?.(line)
  })
  stops.push(server.close)
  path.config.set(smtpRoutes, [{ domain: 'ALL', hosts: [`127.0.0.1:${server.port}`] }])
  path.config.set(delivery, { ...delivery.defaults, ...settings })
  const body = Buffer.from('Subject: hi\r\n\r\nBody\r\n')
  await path.spool.accept(newEntry(1001, { state: { kind: 'queued' }, body, receivedAt: new Date(), ...entry }))
  const start = async () => await path.queue.start(path.config, new AbortController().signal)
  return { path, server, said, start }
}
const to = (address: string, more = {}) => [{ rid: 0, address, ...more }]

describe('a sender who asked to hear of success', () => {
  const asked = {
    recipients: to('x@far.example', { notify: ['SUCCESS'], orcpt: 'rfc822;y+2Bz@far.example' }),
    envid: 'Q+2B7',
  }

  it('hears that the message was handed to a host that tells nobody', async () => {
    const { path, server, start } = await deliver(asked)
    await start()
    await path.until('delivery.done', 2)
    const notice = server.mails[1]
    expect(notice?.from).toBe('')
    expect(notice?.to).toEqual(['alice@sender.example'])
    expect(notice?.data).toContain('Original-Envelope-Id: Q+7\r\nReporting-MTA: dns; mail.example.com\r\n')
    expect(notice?.data).toContain(
      'Original-Recipient: rfc822;y+z@far.example\r\nFinal-Recipient: rfc822;x@far.example\r\nAction: relayed\r\nStatus: 2.0.0\r\n',
    )
    expect(notice?.data).not.toContain('Body')
    expect(path.of('delivery.success-notified')).toMatchObject([{ from: 1001 }])
    expect(path.of('delivery.bounce-generated')).toEqual([])
  })

  it('hears nothing from us when the next hop takes the request over', async () => {
    const { path, server, said, start } = await deliver(asked, offering)
    await start()
    await path.until('message.finished')
    await path.queue.idle()
    expect(said).toContain('RCPT TO:<x@far.example> NOTIFY=SUCCESS ORCPT=rfc822;y+2Bz@far.example')
    expect(said.find((l) => l.startsWith('MAIL'))).toContain(' ENVID=Q+2B7')
    expect(server.mails).toHaveLength(1)
  })

  it('hears of the delivery into a mailbox here', async () => {
    const { path, server, start } = await deliver({ recipients: to('bob@example.com', { notify: ['SUCCESS'] }) })
    await start()
    await path.until('delivery.done', 2)
    expect(readdirSync(join(path.home, 'mailboxes/example.com/bob/new'))).toHaveLength(1)
    expect(server.mails[0]?.data).toContain('Action: delivered\r\nStatus: 2.1.5\r\n')
  })

  it('hears nothing as the null sender', async () => {
    const { path, server, start } = await deliver({ ...asked, sender: '' })
    await start()
    await path.until('message.finished')
    await path.queue.idle()
    expect(server.mails).toHaveLength(1)
  })
})

describe('a failure', () => {
  const refusing: Script = (line) => (line.includes('<x@far.example>') ? '550 5.1.1 no' : undefined)

  it.each([[[]], [['SUCCESS']], [['DELAY']]] as const)('is not told where NOTIFY is %j', async (notify) => {
    const { path, server, start } = await deliver({ recipients: to('x@far.example', { notify }) }, refusing)
    await start()
    await path.until('message.finished')
    await path.queue.idle()
    expect(path.of('delivery.bounced')).toHaveLength(1)
    expect(server.mails).toEqual([])
  })

  it.each([
    ['FULL', true],
    ['HDRS', false],
    [undefined, false],
  ] as const)('brings the message back as RET=%s asks', async (ret, whole) => {
    const { path, server, start } = await deliver(
      { recipients: to('x@far.example'), ...(ret ? { ret } : {}) },
      refusing,
    )
    await start()
    await path.until('delivery.done')
    const data = server.mails[0]?.data ?? ''
    expect(data.includes('\r\n\r\nBody\r\n')).toBe(whole)
    expect(data).toContain(whole ? 'Content-Type: message/rfc822\r\n' : 'Content-Type: text/rfc822-headers\r\n')
  })

  it('is told with NOTIFY=NEVER, so that nobody is told of the notice', async () => {
    const { path, said, start } = await deliver(
      { recipients: to('x@far.example') },
      (line) => offering(line) ?? refusing(line),
    )
    await start()
    await path.until('delivery.done')
    expect(said).toContain('RCPT TO:<alice@sender.example> NOTIFY=NEVER')
  })
})

describe('a delay', () => {
  const late: Script = (line) => (line.includes('<x@far.example>') ? '450 4.2.0 later' : undefined)
  const times = { warningSeconds: 60, initialRetrySeconds: 1, maxRetrySeconds: 1 }

  it.each([
    [undefined, true, 1],
    [undefined, false, 0],
    [['DELAY'], false, 1],
    [['FAILURE'], true, 0],
    [[], true, 0],
  ] as const)('with NOTIFY %j, warnings %s, is told %i times', async (notify, sendWarnings, count) => {
    const recipients = to('x@far.example', notify ? { notify } : {})
    const { path, start } = await deliver({ recipients }, late, { ...times, sendWarnings })
    await path.database.write([{ sql: 'UPDATE queue SET queued_at = ?', params: [Date.now() - 90_000] }])
    await start()
    await path.until('delivery.delayed')
    await path.queue.idle()
    expect(path.of('delivery.delay-warned')).toHaveLength(count)
  })
})
