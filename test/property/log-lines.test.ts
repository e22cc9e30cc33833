import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localTime } from '../../src/core/localtime.ts'
import type { ApplianceEvent } from '../../src/events/event.ts'
import { formatLine } from '../../src/logs/line.ts'
import { renderEvent } from '../../src/logs/types/index.ts'

const time = localTime({ at: () => null, list: () => [] }, () => 'Etc/GMT')

/** What terminals and log parsers obey: C0 but LF, DEL, C1, line separators, bidirectional controls. */
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '\u001b]0;x\u0007',
    '\r\nTue Mar 29 20:20:10 2022 Info: MID 1 queued',
    '\u202egpj',
    '\u2028x',
    '\u009b31m',
    '\'"\\',
  ),
)

/** One event of each kind, with `s` in every field that is text from outside. `lines` = the most lines it may write. */
const EVENTS: readonly ((s: string) => { readonly event: ApplianceEvent; readonly lines: number })[] = [
  (s) => ({
    lines: 1,
    event: {
      type: 'connection.opened',
      icid: 1,
      listener: s,
      interfaceName: s,
      interfaceAddress: s,
      remoteAddress: s,
      reverseHost: s,
      reverseVerified: false,
    },
  }),
  (s) => ({ lines: 1, event: { type: 'connection.policy', icid: 1, behaviour: 'ACCEPT', senderGroup: s, match: s } }),
  (s) => ({ lines: 1, event: { type: 'connection.tls', icid: 1, protocol: s, cipher: s } }),
  (s) => ({ lines: 1, event: { type: 'connection.tls-failed', icid: 1, error: s } }),
  (s) => ({ lines: 1, event: { type: 'connection.unknown-command', icid: 1, command: s } }),
  (s) => ({ lines: 1, event: { type: 'connection.receiving-failed', icid: 1, reason: s } }),
  (s) => ({ lines: 1, event: { type: 'message.sender', mid: 1, icid: 1, sender: s } }),
  (s) => ({ lines: 1, event: { type: 'message.recipient', mid: 1, icid: 1, rid: 0, recipient: s } }),
  (s) => ({ lines: 1, event: { type: 'message.recipient-rejected', mid: 1, icid: 1, recipient: s, by: s } }),
  (s) => ({ lines: 1, event: { type: 'message.id', mid: 1, messageId: s } }),
  (s) => ({ lines: 1, event: { type: 'message.subject', mid: 1, subject: s } }),
  (s) => ({ lines: 1, event: { type: 'message.ready', mid: 1, bytes: 1, sender: s } }),
  (s) => ({ lines: 1, event: { type: 'message.aborted', mid: 1, reason: s } }),
  (s) => ({ lines: 1, event: { type: 'message.unscannable', mid: 1, reason: s } }),
  (s) => ({ lines: 1, event: { type: 'policy.matched', mid: 1, policy: s, table: 'inbound' } }),
  (s) => ({ lines: 1, event: { type: 'policy.split', mid: 1, into: 2, policy: s, table: 'inbound' } }),
  (s) => ({ lines: 1, event: { type: 'filter.log-entry', mid: 1, text: s } }),
  (s) => ({ lines: 1, event: { type: 'url.matched', mid: 1, url: s, score: null, what: 'Condition', detail: s } }),
  (s) => ({ lines: 1, event: { type: 'message.rewritten', mid: 1, into: 2, action: s, filter: s } }),
  (s) => ({ lines: 1, event: { type: 'message.generated', mid: 2, from: 1, how: s, filter: s } }),
  (s) => ({
    lines: 1,
    event: { type: 'message.dropped', mid: 1, by: { kind: 'content filter', name: s, table: 'inbound' } },
  }),
  (s) => ({
    lines: 1,
    event: { type: 'message.quarantined', mid: 1, quarantine: s, by: { kind: 'message filter', name: s } },
  }),
  (s) => ({ lines: 1, event: { type: 'quarantine.released', mid: 1, quarantine: s, how: 'manual' } }),
  (s) => ({
    lines: 2,
    event: {
      type: 'auth.spf',
      mid: 1,
      identity: 'helo',
      address: s,
      result: 'Pass',
      recordFound: true,
      fromCache: true,
    },
  }),
  (s) => ({
    lines: 1,
    event: { type: 'auth.dkim', mid: 1, result: 'permfail', detail: s, domain: s, selector: s, identity: s },
  }),
  (s) => ({
    lines: 2,
    event: { type: 'auth.dmarc', mid: 1, outcome: 'passed', domain: s, spfAligned: true, dkimAligned: false },
  }),
  (s) => ({
    lines: 1,
    event: { type: 'sdr.requested', mid: 1, reverseHost: s, helo: s, envelopeFrom: s, headerFrom: s, replyTo: s },
  }),
  (s) => ({
    lines: 1,
    event: {
      type: 'sdr.verdict',
      mid: 1,
      vocabulary: 'reputation',
      level: 'poor',
      category: s,
      suspected: [s, s],
      ageDays: 1,
      ageDomain: s,
    },
  }),
  (s) => ({ lines: 1, event: { type: 'sdr.unscanned', mid: 1, reason: s } }),
  (s) => ({ lines: 1, event: { type: 'sdr.excepted', mid: 1, domain: s, list: s } }),
  (s) => ({ lines: 1, event: { type: 'delivery.response', mid: 1, rid: 0, response: s } }),
  (s) => ({
    lines: 2,
    event: {
      type: 'delivery.delayed',
      dcid: 1,
      mid: 1,
      rid: 0,
      recipient: s,
      status: s,
      reason: s,
      code: s,
      responses: [s],
      until: new Date(0),
    },
  }),
  (s) => ({
    lines: 1,
    event: {
      type: 'delivery.bounced',
      dcid: 1,
      mid: 1,
      rid: 0,
      recipient: s,
      status: s,
      reason: s,
      code: s,
      responses: [s, s],
    },
  }),
  (s) => ({
    lines: 1,
    event: { type: 'delivery.connection-error', dcid: 1, domain: s, address: s, port: 25, details: s },
  }),
  (s) => ({
    lines: 1,
    event: { type: 'remediation.failed', mid: 1, recipient: s, profile: s, error: s, willRetry: true },
  }),
  (s) => ({
    lines: 1,
    event: { type: 'remediation.result', mid: 1, recipient: s, action: 'Delete', profile: s, status: 'Failed' },
  }),
  (s) => ({ lines: 1, event: { type: 'ecs.response', response: { [s]: [s, { a: s }] } } }),
  (s) => ({ lines: 1, event: { type: 'ecs.http', url: s, status: 200, response: s } }),
  (s) => ({ lines: 4, event: { type: 'ecs.verdict-update', items: [{ messageId: s, url: s }] } }),
  (s) => ({ lines: 1, event: { type: 'ecs.ignored', url: s, reason: s } }),
  (s) => ({
    lines: 4,
    event: { type: 'url-rep.wire-request', mid: 1, thread: 1, source: s, payload: { a: s, b: { c: s } } },
  }),
  (s) => ({ lines: 1, event: { type: 'url-rep.unscored', mid: 1, thread: 1, source: s, messageGuid: s, urls: [s] } }),
  (s) => ({
    lines: 1,
    event: { type: 'url-rep.information', mid: 1, thread: 1, source: s, asked: [s], answers: { [s]: s } },
  }),
  (s) => ({ lines: 2, event: { type: 'system.committed', pid: 1, user: s, comment: s, revision: 1 } }),
  (s) => ({ lines: 1, event: { type: 'system.warning', text: s } }),
  (s) => ({ lines: 1, event: { type: 'alert.raised', class: 'System', severity: 'Critical', text: s } }),
  (s) => ({ lines: 1, event: { type: 'cli.entered', pid: 1, user: s, entered: s, prompt: s } }),
]

describe('log lines', () => {
  it('hold no control byte, whatever stands in the fields of an event, and no line that nobody wrote', () => {
    fc.assert(
      fc.property(hostile, fc.nat({ max: EVENTS.length - 1 }), (text, which) => {
        const made = EVENTS[which]?.(text)
        if (!made) return
        const written = renderEvent(made.event, time)
          .map((line) => formatLine('Tue Mar 29 20:20:10 2022', line))
          .join('')
        expect(written).not.toMatch(UNSAFE)
        // wire requests have five lines: head, field, nested open, nested field, close and the final dot on one each.
        expect(written.split('\n').length - 1).toBeLessThanOrEqual(
          made.event.type === 'url-rep.wire-request' ? 5 : made.lines,
        )
        expect(written.length).toBeGreaterThan(0)
      }),
      { numRuns: 2000, seed: 20_220_329 },
    )
  })
})
