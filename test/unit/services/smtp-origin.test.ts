import { afterEach, describe, expect, it } from 'vitest'
import { incomingRelays } from '../../../src/config/sections/incoming-relays.ts'
import type { IncomingRelay } from '../../../src/config/sections/incoming-relays.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPathOptions } from '../../support/mail-path.ts'
import { SmtpClient } from '../../support/smtp-client.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const RELAY: IncomingRelay = { name: 'EDGE', address: '127.0.0.1', header: 'Received', matchAfter: 'from', hop: 1 }
const started = async (relay: Partial<IncomingRelay> = {}, options: MailPathOptions = {}) => {
  const path = await mailPath(options)
  path.config.set(incomingRelays, { enabled: true, relays: [{ ...RELAY, ...relay }] })
  stops.push(path.stop)
  await path.smtp.start(path.config, new AbortController().signal)
  return path
}
const send = async (port: number, header: string): Promise<void> => {
  const client = await SmtpClient.open(port)
  await client.send({ from: 'a@b.example', to: ['c@example.com'] }, Buffer.from(`${header}\r\nSubject: x\r\n\r\nx\r\n`))
  client.close()
}
const MAIL = 'Received: from h (c.example [192.0.2.7]) by edge (Postfix)'

describe('mail of an incoming relay', () => {
  it('counts as that of the client the relay names, with its name and score', async () => {
    const path = await started(
      {},
      {
        resolver: {
          reverse: (ip) => Promise.resolve(ip === '192.0.2.7' ? ['c.example'] : ['edge.example']),
          resolve: () => Promise.resolve(['192.0.2.7', '127.0.0.1']),
        },
      },
    )
    await send(path.port(), MAIL)
    expect(path.of('connection.opened')[0]).toMatchObject({ remoteAddress: '127.0.0.1', reverseHost: 'edge.example' })
    expect(path.of('message.incoming-relay')).toEqual([
      {
        type: 'message.incoming-relay',
        mid: 1,
        relay: 'EDGE',
        header: 'Received',
        found: 'address',
        address: '192.0.2.7',
        country: 'not enabled',
        reputation: 'None',
      },
    ])
    const entry = path.spool.entry(1)
    expect(entry).toMatchObject({ remoteAddress: '192.0.2.7', reverseHost: 'c.example', reverseVerified: true })
    expect(entry?.trace).toContain('(edge.example [127.0.0.1])')
  })

  it('is not judged by the relay before its header is known', async () => {
    const asked: string[] = []
    const onEnvelope: MailPathOptions['onEnvelope'] = (e) => Promise.resolve(void asked.push(e.remoteAddress))
    const path = await started({}, { onEnvelope })
    await send(path.port(), MAIL)
    expect(asked).toEqual([])
  })

  it('counts as the relay’s own without the header or an address in it', async () => {
    const path = await started()
    await send(path.port(), 'X-Other: 192.0.2.7')
    await send(path.port(), 'Received: from somewhere by edge')
    expect(path.of('message.incoming-relay').map((e) => e.found)).toEqual(['nothing', 'header'])
    expect([path.spool.entry(1)?.remoteAddress, path.spool.entry(2)?.remoteAddress]).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('of anybody else is its own, whatever its header says', async () => {
    const path = await started({ address: '127.0.0.2' })
    await send(path.port(), MAIL)
    expect(path.of('message.incoming-relay')).toEqual([])
    expect(path.spool.entry(1)?.remoteAddress).toBe('127.0.0.1')
  })
})
