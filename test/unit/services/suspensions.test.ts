import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { createSuspensions } from '../../../src/services/suspensions.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPath } from '../../support/mail-path.ts'
import { openSpool, newEntry, temporaryHome } from '../../support/spool.ts'

let path: MailPath | undefined
afterEach(async () => {
  await path?.stop()
  path = undefined
})
const { signal } = new AbortController()

describe('suspensions', () => {
  it('stay over a restart', async () => {
    const dir = temporaryHome()
    const clock = new FakeClock()
    const first = await openSpool(clock, dir.home)
    const before = createSuspensions(first.suspensionStore, clock)
    await before.suspend('delivery', ['example.com', 'example.org'], 'admin', 'x')
    await before.suspend('work queue', [''], 'admin', 'checking')
    await before.resume('delivery', ['example.org'])
    await first.close()
    const second = await openSpool(clock, dir.home)
    const after = createSuspensions(second.suspensionStore, clock)
    expect(after.delivery('example.com')).toBe(true)
    expect(after.delivery('smtp:example.com')).toBe(true)
    expect(after.delivery('example.org')).toBe(false)
    expect(after.receiving('IncomingMail')).toBe(false)
    expect(after.workQueue()).toMatchObject({ by: 'admin', reason: 'checking', since: clock.now() })
    await second.close()
    dir.remove()
  })

  it('keep mail queued, and let it go when they end', async () => {
    path = await mailPath()
    path.config.set(smtpRoutes, [{ domain: 'example.com', hosts: ['/dev/null'] }])
    await path.suspensions.suspend('delivery', [''], 'admin', '')
    await path.spool.accept(newEntry(1, { state: { kind: 'queued' } }))
    await path.queue.start(path.config, signal)
    path.queue.notify(1)
    await path.queue.idle()
    expect(path.spool.queued(1)).toHaveLength(1)
    await path.suspensions.resume('delivery', [''])
    path.queue.hold.retry(null)
    await path.until('message.finished')
    expect(path.view.lastMid()).toBe(0)
  })

  it('answer 421 to clients, end the connections that are open, and receive again when they end', async () => {
    path = await mailPath()
    await path.smtp.start(path.config, signal)
    const port = path.port()
    const talk = (): Promise<string> =>
      new Promise((resolve) => {
        let text = ''
        const socket = connect({ port, host: '127.0.0.1' })
        socket.on('data', (data) => (text += data.toString('latin1')))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve(text))
      })
    const open = talk()
    await path.until('connection.policy')
    await path.suspensions.suspend('receiving', ['IncomingMail'], 'admin', '')
    await path.smtp.drain(['IncomingMail'], 5000)
    expect(await open).toMatch(/^220 [^]*421 /)
    expect(await talk()).toMatch(/^421 4\.3\.2 mail\.example\.com /)
    await path.suspensions.resume('receiving', ['IncomingMail'])
    const again = talk()
    await path.until('connection.policy', 2)
    await path.smtp.drain(['IncomingMail'], 0)
    expect(await again).toMatch(/^220 /)
  })
})
