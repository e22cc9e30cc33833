import { describe, expect, it } from 'vitest'
import { logSubscriptions } from '../../../src/config/sections/log-subscriptions.ts'
import type { SyslogPush } from '../../../src/config/sections/log-subscriptions.ts'
import { line } from '../../../src/logs/line.ts'
import { syslogMessages } from '../../../src/logs/syslog.ts'
import { TestConfig } from '../../support/config-reader.ts'

const push: SyslogPush = {
  host: '10.1.1.1',
  port: 514,
  protocol: 'udp',
  facility: 'mail',
  maxBytes: 1024,
  caFile: null,
}
const head = { stamp: 'Tue Mar  1 20:20:24 2022', hostname: 'mail.example.com', tag: 'mail_logs' }

describe('a syslog message', () => {
  it.each([
    ['mail', 'Info', 22],
    ['auth', 'Info', 38],
    ['local4', 'Info', 166],
    ['local7', 'Critical', 186],
    ['kern', 'Trace', 7],
  ] as const)('has the priority of %s and %s', (facility, level, priority) => {
    expect(syslogMessages({ ...push, facility }, head, { level, text: 'MID 1 queued' })).toEqual([
      `<${priority}>Mar  1 20:20:24 mail.example.com mail_logs: ${level}: MID 1 queued`,
    ])
  })

  it('is one for each line of a text, and escaped as in the files', () => {
    const text = line`Subject ${'a\u001b[2J\r\n<13>forged\u202e\u009b'}\nsecond`
    const [first = '', second] = syslogMessages(push, head, { level: 'Info', text })
    expect(first).toBe(
      String.raw`<22>Mar  1 20:20:24 mail.example.com mail_logs: Info: Subject a\x1b[2J\r\n<13>forged\u202e\x9b`,
    )
    expect(second).toBe('<22>Mar  1 20:20:24 mail.example.com mail_logs: Info: second')
  })

  it('is cut at its size without half a character', () => {
    for (let i = 0; i < 4; i++) {
      const [message = ''] = syslogMessages(push, head, { level: 'Info', text: `${'x'.repeat(i)}${'€'.repeat(600)}` })
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024)
      expect(Buffer.byteLength(message)).toBeGreaterThan(1020)
      expect(message).toMatch(/€\.\.\.$/)
    }
  })
})

describe('log_subscriptions', () => {
  it('that are older than syslog push are sent nowhere', () => {
    const old = logSubscriptions.defaults.map(({ push: _, ...rest }) => rest)
    expect(logSubscriptions.migrations?.[2]?.(old)).toEqual(logSubscriptions.defaults)
  })

  it('refuse datagrams that are too large', () => {
    const [first] = logSubscriptions.defaults
    const check = (over: Partial<SyslogPush>) =>
      logSubscriptions
        .verify?.(
          [{ ...(first as (typeof logSubscriptions.defaults)[number]), push: { ...push, ...over } }],
          new TestConfig(),
        )
        .map((i) => i.message)
    expect(check({ maxBytes: 9217 })).toEqual([
      'Messages of the log authentication over UDP may have at most 9216 bytes.',
    ])
    expect(check({ maxBytes: 9217, protocol: 'tcp' })).toEqual([])
  })
})
