import { describe, expect, it } from 'vitest'
import { alerts } from '../../../src/config/sections/alerts.ts'
import { localTime } from '../../../src/core/localtime.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { createAlertService } from '../../../src/logs/alert-service.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const setUp = (send?: () => Promise<void>) => {
  const clock = new FakeClock('2022-03-30T00:20:34Z')
  const events = createEventBus(clock)
  const published: ApplianceEvent[] = []
  events.subscribe((_, event) => published.push(event))
  const mails: { readonly to: string; readonly subject: string; readonly text: string }[] = []
  const service = createAlertService({
    store: { load: () => [], add: () => Promise.resolve() },
    mailer: {
      send: async (to, _from, subject, text) => {
        await send?.()
        mails.push({ to, subject, text })
      },
    },
    events,
    clock,
    time: localTime({ at: () => null, list: () => [] }, () => 'Etc/GMT'),
    settings: () => ({
      ...alerts.defaults,
      kept: 2,
      recipients: [
        { address: 'all@example.com', classes: [], severities: [] },
        { address: 'hardware@example.com', classes: ['Hardware'], severities: [] },
      ],
    }),
    hostname: () => 'mail.example.com',
    version: '1.0.0',
    serial: 'S',
  })
  const raise = (text = 'A URL turned malicious\nsecond line'): void =>
    service.raise({ class: 'URL Retrospection', severity: 'Warning', text })
  return { clock, published, mails, service, raise }
}

describe('the alert service', () => {
  it('mails an alert to who asked for its class, and says so when it is queued', async () => {
    const { mails, raise, published } = setUp()
    raise()
    await settle()
    expect(mails.map((m) => [m.to, m.subject])).toEqual([
      ['all@example.com', 'Warning <URL Retrospection> mail.example.com: A URL turned malicious'],
    ])
    expect(mails[0]?.text).toContain('second line')
    expect(published.map((e) => e.type)).toEqual(['alert.raised', 'alert.sent'])
  })

  it('holds duplicates back for 300 seconds, then 600, and counts them', async () => {
    const { mails, raise, clock } = setUp()
    const after = async (seconds: number): Promise<number> => {
      await clock.advance(seconds * 1000)
      raise()
      await settle()
      return mails.length
    }
    expect(await after(0)).toBe(1)
    expect(await after(299)).toBe(1)
    expect(await after(1)).toBe(2)
    expect(mails[1]?.text).toContain('1 equal alerts were raised since')
    expect(await after(599)).toBe(2)
    expect(await after(1)).toBe(3)
  })

  it('mails a different alert at once', async () => {
    const { mails, raise } = setUp()
    raise('one')
    raise('two')
    await settle()
    expect(mails).toHaveLength(2)
  })

  it('keeps the newest, and tells when the mail could not be queued', async () => {
    const { service, raise, published } = setUp(() => Promise.reject(new Error('no queue')))
    for (const text of ['one', 'two', 'three']) raise(text)
    await settle()
    expect(service.recent(10).map((a) => a.text)).toEqual(['three', 'two'])
    expect(published).toContainEqual({
      type: 'system.warning',
      text: 'Error while sending alert: Unable to send URL Retrospection/Warning alert to all@example.com: no queue',
    })
    expect(published.map((e) => e.type)).not.toContain('alert.sent')
  })
})
