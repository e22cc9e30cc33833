import { describe, expect, it } from 'vitest'
import { messageLines, messageRows } from '../../../../src/shell/format/queue.ts'
import { hostRow } from '../../../../src/shell/format/host.ts'
import { domainField, selectionOf } from '../../../../src/shell/queue.ts'
import { newEntry } from '../../../support/spool.ts'

const lines = (text: string, part: 'header' | 'whole') => [...messageLines(Buffer.from(text, 'latin1'), part)]

describe('a message on the screen', () => {
  it('ends with its header where only that is asked for', () => {
    expect(lines('A: 1\r\n\tfolded\r\n\r\nbody\r\n', 'header')).toEqual(['A: 1', '        folded'])
    expect(lines('A: 1\n\nbody', 'whole')).toEqual(['A: 1', '', 'body'])
  })

  it('cannot act on the terminal', () => {
    const all = lines('Subject: \u001b[2J\u009b1m\rX\r\n\r\n\u0007', 'whole').join('\n')
    expect(all).toBe('Subject: \\x1b[2J\\x9b1m\\rX\n\n\\x07')
  })

  it('has the columns of AsyncOS, and shows addresses whole', () => {
    const recipient = {
      rid: 0,
      address: `${'x'.repeat(60)}@example.com`,
      mid: 1527,
      domain: 'example.com',
      attempts: 2,
      nextAttemptAt: new Date(0),
      queuedAt: new Date(0),
      lastError: null,
    }
    const entry = newEntry(1527, { sender: 'user123456@ironport.com', size: 1230, subject: 'Testing\u001b' })
    expect(messageRows({ entry, rows: [recipient] })).toEqual([
      '1527     1230     user123456@ironport.com    Testing\\x1b',
      `[0]      [2]      ${'x'.repeat(60)}@example.com`,
    ])
  })
})

describe('a row of tophosts', () => {
  it('has the columns of AsyncOS, and marks a host that was down', () => {
    expect(hostRow({ destination: 'the.euq.queue', recipients: 5, figures: null }, 1)).toBe(
      '2    the.euq.queue                5       0        0        0        0',
    )
    const figures = {
      up: false,
      connectionsOut: 1,
      delivered: 2,
      softBounced: 3,
      hardBounced: { dns: 1, refused: 1, expired: 1, other: 1 },
      deleted: 0,
      lastActivity: null,
      addresses: [],
      lookedUpAt: null,
      lastRefusal: null,
    }
    expect(hostRow({ destination: 'smtp:relay.example', recipients: 5, figures }, 0)).toBe(
      '1    relay.example (redirected)*      5       1        2        3        4',
    )
  })
})

describe('the words of a selection', () => {
  it('name a host, a sender, or all', () => {
    expect(selectionOf('u', ['host', 'Example.COM.'])).toEqual({ kind: 'host', host: 'example.com' })
    expect(selectionOf('u', ['sender', '<>'])).toEqual({ kind: 'sender', sender: '' })
    expect(selectionOf('u', ['all'])).toEqual({ kind: 'all' })
    for (const words of [[], ['all', 'x'], ['host'], ['host', 'a', 'b'], ['both', 'x']])
      expect(() => selectionOf('u', words)).toThrow('Usage: u')
    expect(() => selectionOf('u', ['host', 'a@b'])).toThrow('The value must be a domain.')
  })

  it('take address literals, international domains, and a host with its port', () => {
    for (const domain of ['[192.0.2.1]', '[ipv6:2001:db8::1]', 'bücher.example', 'relay.example:2525'])
      expect(domainField.parse(domain)).toEqual({ ok: true, value: domain })
  })
})
