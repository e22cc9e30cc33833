import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLineReader } from '../../../src/adapters/files/line-reader.ts'
import { createLogFileWriter } from '../../../src/adapters/files/log-writer.ts'
import { inlineLogScanner } from '../../../src/adapters/files/log-scanner.ts'
import { createFanOut } from '../../../src/adapters/tail/fan-out.ts'
import { createFileTail } from '../../../src/adapters/tail/follower.ts'
import type { LogSubscription } from '../../../src/config/sections/log-subscriptions.ts'
import type { ConfigReader } from '../../../src/config/section.ts'
import { localTime } from '../../../src/core/localtime.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import { createLogService } from '../../../src/logs/service.ts'
import type { SyslogHooks } from '../../../src/logs/syslog.ts'
import { FakeClock } from '../../support/fake-clock.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-logs-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const ecs: LogSubscription = {
  name: 'ecs',
  type: 'ecs',
  level: 'Info',
  fileName: 'ecs',
  rolloverBytes: 4096,
  maxFiles: 2,
  alertOnRemoval: true,
  push: null,
}

const setUp = (subscriptions: readonly LogSubscription[]) => {
  const clock = new FakeClock('2022-03-30T00:20:24Z')
  const events = createEventBus(clock)
  const alerts: string[] = []
  const sent: string[] = []
  const told = new Map<string, SyslogHooks>()
  const reader = createLineReader()
  const logs = createLogService({
    directory: home,
    version: '1.0.0',
    serial: 'SERIAL',
    clock,
    time: localTime({ at: () => ({ offsetSeconds: -14_400, abbreviation: 'EDT' }), list: () => [] }, () => ''),
    events,
    createWriter: createLogFileWriter,
    reader,
    follower: createFanOut(createFileTail(reader)),
    scanner: inlineLogScanner(),
    syslog: {
      open: ({ host }, hooks) => {
        sent.push(`open ${host}`)
        told.set(host, hooks)
        return {
          send: (message) => void sent.push(message),
          close: () => Promise.resolve(void sent.push(`close ${host}`)),
        }
      },
      problem: ({ caFile }) => (caFile === null ? null : `No ${caFile}`),
    },
    hostname: () => 'mail.example.com',
    alerts: () => ({ raise: (alert) => void alerts.push(alert.text) }),
  })
  logs.start(subscriptions)
  const apply = async (next: LogSubscription[]): Promise<void> =>
    await logs.consumer.apply(next, [], { get: () => next } as unknown as ConfigReader)
  const text = async (name: string): Promise<string> => {
    await logs.flush()
    return readFileSync(join(home, name, 'ecs.current'), 'utf8')
  }
  return { logs, events, alerts, sent, told, apply, text }
}

describe('the log service', () => {
  it('writes the lines that a subscription takes, below its head', async () => {
    const { logs, events, text } = setUp([ecs, { ...ecs, name: 'all', level: 'Trace' }])
    events.publish({ type: 'ecs.poll-started' })
    events.publish({ type: 'ecs.none-found' })
    const head =
      'Tue Mar 29 20:20:24 2022 Info: Begin Logfile\n' +
      'Tue Mar 29 20:20:24 2022 Info: Version: 1.0.0 SN: SERIAL\n' +
      'Tue Mar 29 20:20:24 2022 Info: Time offset from UTC: -14400 seconds\n'
    const found = 'Tue Mar 29 20:20:24 2022 Info: ECS: No retrospections found.\n'
    expect(await text('ecs')).toBe(head + found)
    expect(await text('all')).toBe(`${head}Tue Mar 29 20:20:24 2022 Debug: ECS: Start polling\n${found}`)
    await logs.stop()
  })

  it('sends what a subscription takes to its syslog server, and keeps it in the file', async () => {
    const push = { host: 'a', port: 514, protocol: 'udp', facility: 'local4', maxBytes: 1024, caFile: null } as const
    const { logs, events, sent, told, apply, text } = setUp([{ ...ecs, push }])
    events.publish({ type: 'ecs.poll-started' })
    events.publish({ type: 'ecs.none-found' })
    const line = '<166>Mar 29 20:20:24 mail.example.com ecs: Info: ECS: No retrospections found.'
    expect(sent).toEqual(['open a', line])
    expect(await text('ecs')).toMatch(/ECS: No retrospections found\.\n$/)
    await apply([{ ...ecs, level: 'Warning', push }])
    expect(sent).toHaveLength(2)
    await apply([{ ...ecs, push: { ...push, host: 'b' } }])
    expect(sent.slice(2)).toEqual(['close a', 'open b'])

    const warnings: string[] = []
    events.subscribe((_at, e) => void (e.type === 'system.warning' && warnings.push(e.text)))
    told.get('b')?.failing('connection refused')
    told.get('b')?.lost(3)
    expect(warnings).toEqual([
      'The log ecs cannot be sent to the syslog server b port 514: connection refused',
      '3 lines of the log ecs were not sent to the syslog server b port 514',
    ])
    await logs.stop()
    expect(sent.at(-1)).toBe('close b')
  })

  it('refuses a commit with a CA file that cannot be used', async () => {
    const push = { host: 'a', port: 6514, protocol: 'tls', facility: 'mail', maxBytes: 1024, caFile: '/ca' } as const
    const { logs } = setUp([])
    const whole = { get: () => [] } as unknown as ConfigReader
    expect(await logs.consumer.prepare?.([{ ...ecs, push }], [], whole)).toEqual([
      { path: 'log_subscriptions.ecs.push', message: 'No /ca', severity: 'error' },
    ])
  })

  it('follows the committed subscriptions at once', async () => {
    const { logs, events, apply, text } = setUp([ecs])
    events.publish({ type: 'ecs.poll-started' })
    await apply([
      { ...ecs, level: 'Debug' },
      { ...ecs, name: 'second' },
    ])
    events.publish({ type: 'ecs.poll-started' })
    expect((await text('ecs')).match(/Start polling/g)).toHaveLength(1)
    expect(logs.subscriptions().map((s) => s.name)).toEqual(['ecs', 'second'])
    await apply([{ ...ecs, name: 'second' }])
    events.publish({ type: 'ecs.none-found' })
    expect(await text('ecs')).not.toContain('No retrospections')
    expect(await text('second')).toContain('No retrospections')
    expect(logs.subscription('ecs')).toBeUndefined()
    await logs.stop()
  })

  it('raises an alert when an old file is removed, and reads all files oldest first', async () => {
    const { logs, events, alerts } = setUp([ecs])
    for (let i = 0; i < 3; i++) {
      events.publish({ type: 'ecs.query-failed', reason: `fault ${i}` })
      await logs.rollover('ecs')
    }
    expect(alerts).toHaveLength(2)
    const read: string[] = []
    for await (const batch of logs.read('ecs', new AbortController().signal)) read.push(...batch)
    expect(read.filter((l) => l.includes('fault'))).toEqual([
      "Tue Mar 29 20:20:24 2022 Warning: ECS: Cloud query failed. 'fault 2'",
    ])
    await logs.stop()
  })

  it('refuses names that are no subscription', async () => {
    const { logs } = setUp([])
    await expect(logs.rollover('nope')).rejects.toThrow("There is no log subscription named 'nope'.")
    await logs.stop()
  })
})
