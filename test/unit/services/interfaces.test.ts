import { afterEach, describe, expect, it } from 'vitest'
import { alternateSources } from '../../../src/config/sections/alternate-sources.ts'
import { interfaces } from '../../../src/config/sections/interfaces.ts'
import { acceptEntry, defaultListener, listeners } from '../../../src/config/sections/listeners.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { boundListener } from '../../../src/mail/smtp/bound-listener.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPath, MailPathOptions } from '../../support/mail-path.ts'
import { scriptedSmtp } from '../../support/scripted-smtp.ts'
import { SmtpClient } from '../../support/smtp-client.ts'
import { newEntry } from '../../support/spool.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const two = {
  interfaces: [
    { name: 'Inside', address: '127.0.0.2', hostname: 'inside.example.com' },
    { name: 'Outside', address: '127.0.0.3', hostname: '' },
  ],
  groups: [{ name: 'Both', interfaces: ['Inside', 'Outside'] }],
  delivery: '',
}
const started = async (options: MailPathOptions) => {
  const path = await mailPath(options)
  stops.push(path.stop)
  path.config.set(interfaces, two)
  await path.smtp.start(path.config, new AbortController().signal)
  return path
}
const committed = async ({ smtp, config }: MailPath): Promise<void> => {
  const none = undefined as never
  for (const consumer of smtp.consumers) {
    expect(await consumer.prepare?.(none, none, config)).toEqual([])
    await consumer.apply(none, none, config)
  }
}

describe('a listener on an interface', () => {
  it('binds its address, greets with its host name, and is named with it in the log', async () => {
    const path = await started({ listener: { interfaceName: 'Inside', address: null } })
    expect(path.smtp.listening()).toMatchObject([{ listener: 'IncomingMail', address: '127.0.0.2' }])
    const client = await SmtpClient.open(path.port(), { host: '127.0.0.2' })
    stops.push(() => client.close())
    expect(client.greeting).toBe('inside.example.com ESMTP')
    await path.until('connection.opened')
    expect(path.of('connection.opened')[0]).toMatchObject({ interfaceName: 'Inside', interfaceAddress: '127.0.0.2' })
  })

  it('follows its interface to another address at commit', async () => {
    const path = await started({ listener: { interfaceName: 'Outside', address: null } })
    const moved = two.interfaces.map((i) => (i.name === 'Outside' ? { ...i, address: '127.0.0.4' } : i))
    path.config.set(interfaces, { ...two, interfaces: moved })
    await committed(path)
    expect(path.smtp.listening().map((l) => l.address)).toEqual(['127.0.0.4'])
  })

  it('takes another host name without a new socket', async () => {
    const path = await started({ listener: { interfaceName: 'Outside', address: null } })
    const port = path.port()
    path.config.set(interfaces, {
      ...two,
      interfaces: two.interfaces.map((i) => ({ ...i, hostname: 'new.example.com' })),
    })
    await committed(path)
    expect(path.port()).toBe(port)
    const client = await SmtpClient.open(port, { host: '127.0.0.3' })
    stops.push(() => client.close())
    expect(client.greeting).toBe('new.example.com ESMTP')
  })

  it('that does not exist is refused by verification; one with an address of its own needs none', () => {
    const whole = {
      get: (section: { name: string; defaults: unknown }) => (section.name === 'interfaces' ? two : section.defaults),
    }
    const l = { ...defaultListener, recipientAccess: [acceptEntry('example.com')] }
    const verify = (over: object) => listeners.verify?.([{ ...l, ...over }], whole as never)
    expect(verify({})).toEqual([])
    expect(verify({ interfaceName: 'Inside', address: null })).toEqual([])
    expect(verify({ interfaceName: 'Gone', address: null })).toMatchObject([
      { message: "Listener IncomingMail is on the interface 'Gone', which does not exist." },
    ])
    expect(boundListener({ ...l, interfaceName: 'Gone', address: null }, two)).toBeNull()
  })
})

describe('mail', () => {
  const sent = async (prepare: (path: MailPath) => void, mids = 1) => {
    const path = await mailPath()
    stops.push(path.stop)
    const hellos: string[] = []
    const server = await scriptedSmtp((line) => {
      if (/^EHLO/.test(line)) hellos.push(line)
      return undefined
    })
    stops.push(server.close)
    path.config.set(interfaces, two)
    path.config.set(smtpRoutes, [{ domain: 'ALL', hosts: [`127.0.0.1:${server.port}`] }])
    prepare(path)
    for (let i = 0; i < mids; i++)
      await path.spool.accept(
        newEntry(path.counters.next('mid'), {
          state: { kind: 'queued' },
          direction: 'outgoing',
          sender: 'joe@sender.example',
          recipients: [{ rid: 0, address: 'ann@there.example' }],
          body: Buffer.from('Subject: hi\r\n\r\nBody\r\n'),
          receivedAt: new Date(),
        }),
      )
    await path.queue.start(path.config, new AbortController().signal)
    await path.until('message.finished', mids)
    await path.queue.idle()
    return { from: [...new Set(path.of('delivery.opened').map((e) => e.interfaceAddress))].sort(), hellos }
  }

  it('leaves from the interface of deliveryconfig, and says its host name', async () => {
    const { from, hellos } = await sent((path) => path.config.set(interfaces, { ...two, delivery: 'Inside' }))
    expect(from).toEqual(['127.0.0.2'])
    expect(hellos).toEqual(['EHLO inside.example.com'])
  })

  it('leaves from the interface that altsrchost names, which goes before that of deliveryconfig', async () => {
    const { from, hellos } = await sent((path) => {
      path.config.set(interfaces, { ...two, delivery: 'Inside' })
      path.config.set(alternateSources, [{ match: '@sender.example', address: 'Outside' }])
    })
    expect(from).toEqual(['127.0.0.3'])
    expect(hellos).toEqual(['EHLO mail.example.com'])
  })

  it('is spread over the interfaces of a group', async () => {
    const { from } = await sent(
      (path) => path.config.set(alternateSources, [{ match: '@sender.example', address: 'Both' }]),
      4,
    )
    expect(from).toEqual(['127.0.0.2', '127.0.0.3'])
  })
})
