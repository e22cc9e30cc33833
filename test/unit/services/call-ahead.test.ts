import { afterEach, describe, expect, it } from 'vitest'
import { createSmtpClient } from '../../../src/adapters/smtp/client.ts'
import { callAhead, newCallAheadProfile } from '../../../src/config/sections/call-ahead.ts'
import type { CallAheadProfile } from '../../../src/config/sections/call-ahead.ts'
import { acceptEntry } from '../../../src/config/sections/listeners.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { systemEntropy } from '../../../src/core/entropy.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { createCallAhead } from '../../../src/services/call-ahead.ts'
import { TestConfig } from '../../support/config-reader.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { mailPath, noDns } from '../../support/mail-path.ts'
import { SILENCE, scriptedSmtp } from '../../support/scripted-smtp.ts'
import type { Script } from '../../support/scripted-smtp.ts'
import { SmtpClient } from '../../support/smtp-client.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const world = async (script: Script, over: Partial<CallAheadProfile> = {}, clock = new FakeClock()) => {
  const lines: string[] = []
  const hop = await scriptedSmtp((line) => {
    lines.push(line)
    return script(line)
  })
  const profile = { ...newCallAheadProfile('Hop'), hosts: [`127.0.0.1:${hop.port}`], ...over }
  const config = new TestConfig().set(callAhead, [profile])
  const events = createEventBus(clock)
  const told: ApplianceEvent[] = []
  events.subscribe((_at, e) => told.push(e))
  const service = createCallAhead({
    env: { clock, entropy: systemEntropy },
    config,
    events,
    resolver: noDns,
    smtp: createSmtpClient({ clock: systemClock }),
    mailboxExists: (address) => Promise.resolve(address === 'joe@example.com'),
    ownAddresses: () => [],
  })
  stops.push(hop.close, () => service.close())
  const asked = () => lines.filter((l) => l.startsWith('RCPT'))
  return { hop, lines, asked, clock, config, profile, service, told }
}
const unknown: Script = (line) => (line.includes('<no') ? '550 5.1.1 nobody' : undefined)

describe('call-ahead', () => {
  it('asks with the null sender and sends no message', async () => {
    const { service, lines, hop } = await world(unknown)
    expect(await service.validate('Hop', 'joe@example.com')).toEqual({ kind: 'valid' })
    expect(await service.validate('Hop', 'no@example.com')).toEqual({ kind: 'invalid', code: '550', status: '5.1.1' })
    expect(lines).toContain('MAIL FROM:<>')
    expect(lines.filter((l) => /^DATA/.test(l))).toEqual([])
    expect(hop.mails).toEqual([])
  })

  it('keeps answers for their time, those of unknown recipients for theirs', async () => {
    const { service, asked, clock } = await world(unknown, { cacheSeconds: 100, negativeCacheSeconds: 10 })
    const both = async () => {
      await service.validate('Hop', 'joe@example.com')
      await service.validate('Hop', 'no@EXAMPLE.com')
    }
    await both()
    await both()
    expect(asked()).toHaveLength(2)
    await clock.advance(11_000)
    await both()
    expect(asked()).toHaveLength(3)
    await clock.advance(100_000)
    await both()
    expect(asked()).toHaveLength(5)
    expect(service.flush('Other')).toBe(0)
    expect(service.flush()).toBe(2)
    await both()
    expect(asked()).toHaveLength(7)
  })

  it('asks once for a recipient that several clients name at the same time', async () => {
    const { service, asked } = await world(unknown)
    const answers = await Promise.all(Array.from({ length: 20 }, () => service.validate('Hop', 'joe@example.com')))
    expect(new Set(answers.map((a) => a.kind))).toEqual(new Set(['valid']))
    expect(asked()).toHaveLength(1)
  })

  it('opens no more connections than the profile allows, and all are answered', async () => {
    let open = 0
    let most = 0
    const { service } = await world(
      (line) => {
        if (line === '(greeting)') most = Math.max(most, ++open)
        if (line === 'QUIT') open--
        return undefined
      },
      { maxConnections: 2 },
    )
    const answers = await Promise.all(Array.from({ length: 9 }, (_, i) => service.validate('Hop', `u${i}@example.com`)))
    expect(answers.every((a) => a.kind === 'valid')).toBe(true)
    // One that has said its last word may still be there.
    expect(most).toBeLessThanOrEqual(4)
  })

  it('fails those above its limit of queries, and those whose host says nothing in time', async () => {
    const { service, clock, told } = await world((line) => (line.startsWith('RCPT') ? SILENCE : undefined), {
      maxQueries: 1,
      timeoutSeconds: 5,
    })
    const slow = service.validate('Hop', 'a@example.com')
    expect(await service.validate('Hop', 'b@example.com')).toMatchObject({ kind: 'failed' })
    await clock.advance(5000)
    expect(await slow).toEqual({ kind: 'failed', reason: 'no answer within 5 s' })
    // Told once a minute, not for each.
    expect(told.filter((e) => e.type === 'system.warning')).toHaveLength(1)
  })

  it('learns nothing of a recipient from a sender that is refused', async () => {
    const { service } = await world((line) => (line.startsWith('MAIL') ? '550 5.7.1 no null sender here' : undefined))
    expect(await service.validate('Hop', 'joe@example.com')).toMatchObject({ kind: 'failed' })
  })

  it('asks a host that hangs up once for all recipients of a domain, for half a minute', async () => {
    let dead = true
    const { service, clock, hop } = await world((line) => (dead && line === '(greeting)' ? null : undefined))
    expect(await service.validate('Hop', 'joe@example.com')).toMatchObject({ kind: 'failed' })
    for (const name of ['ann', 'ben', 'joe'])
      expect(await service.validate('Hop', `${name}@Example.com`)).toMatchObject({ kind: 'failed' })
    expect(hop.connections).toBe(1)
    expect(await service.validate('Hop', 'joe@other.example')).toMatchObject({ kind: 'failed' })
    expect(hop.connections).toBe(2)
    dead = false
    await clock.advance(30_001)
    expect(await service.validate('Hop', 'ann@example.com')).toEqual({ kind: 'valid' })
  })

  it('keeps a refusal for now for half a minute', async () => {
    let busy = true
    const { service, clock, asked } = await world((line) =>
      busy && line.startsWith('RCPT') ? '450 4.2.1 busy' : undefined,
    )
    expect(await service.validate('Hop', 'joe@example.com')).toEqual({
      kind: 'temporary',
      code: '450',
      status: '4.2.1',
    })
    busy = false
    expect(await service.validate('Hop', 'joe@example.com')).toMatchObject({ kind: 'temporary' })
    expect(asked()).toHaveLength(1)
    await clock.advance(30_001)
    expect(await service.validate('Hop', 'joe@example.com')).toEqual({ kind: 'valid' })
  })

  it('follows the route of the domain when the profile names no host', async () => {
    const { service, config, asked, hop } = await world(unknown, { hosts: [] })
    config.set(smtpRoutes, [
      { domain: 'example.com', hosts: [`127.0.0.1:${hop.port}`] },
      { domain: 'box.example', hosts: ['MAILBOXES'] },
      { domain: 'void.example', hosts: ['/dev/null'] },
    ])
    expect(await service.validate('Hop', 'no@example.com')).toMatchObject({ kind: 'invalid' })
    expect(await service.validate('Hop', 'joe@box.example')).toMatchObject({ kind: 'invalid', status: '5.1.1' })
    expect(await service.validate('Hop', 'x@void.example')).toEqual({ kind: 'valid' })
    expect(asked()).toHaveLength(1)
  })
})

describe('a listener with call-ahead', () => {
  const listening = async (profile: Partial<CallAheadProfile>, script: Script) => {
    const { service, config, asked } = await world(script, profile)
    const path = await mailPath({
      callAhead: service,
      listener: {
        recipientValidation: 'callahead',
        callAheadProfile: 'Hop',
        recipientAccess: [{ ...acceptEntry('free.example'), bypassValidation: true }, acceptEntry('example.com')],
      },
    })
    stops.push(path.stop)
    path.config.set(callAhead, config.get(callAhead))
    await path.smtp.start(path.config, new AbortController().signal)
    const client = await SmtpClient.open(path.port())
    stops.push(() => client.close())
    await client.command('MAIL FROM:<a@b.example>', 250)
    return { client, path, asked }
  }

  it('takes the recipients that the next hop takes, and says who refused the others', async () => {
    const { client, path, asked } = await listening({}, unknown)
    await client.command('RCPT TO:<joe@example.com>', 250)
    await client.command('RCPT TO:<no@example.com>', 550)
    await client.command('RCPT TO:<no@free.example>', 250)
    await client.command('RCPT TO:<postmaster@example.com>', 250)
    expect(asked()).toHaveLength(2)
    expect(path.of('message.recipient-rejected')).toMatchObject([{ by: 'SMTP call-ahead' }])
  })

  it.each([
    ['accept', 250],
    ['reject', 451],
  ] as const)('%ss where nobody answers, as configured', async (validationFailure, code) => {
    const { client } = await listening({ validationFailure }, () => null)
    await client.command('RCPT TO:<joe@example.com>', code)
  })

  it.each([
    ['accept', 250],
    ['reject', 450],
  ] as const)('%ss where the host refuses for now, as configured', async (temporaryFailure, code) => {
    const { client } = await listening({ temporaryFailure }, (l) =>
      l.startsWith('RCPT') ? '450 4.2.1 busy' : undefined,
    )
    await client.command('RCPT TO:<joe@example.com>', code)
  })
})
