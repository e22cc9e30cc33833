import { simpleParser } from 'mailparser'
import { expect, it } from 'vitest'
import { retryDelayMs } from '../../../../src/mail/delivery/backoff.ts'
import { deliveryNotice } from '../../../../src/mail/delivery/dsn.ts'
import { statusOf, statusReason } from '../../../../src/mail/delivery/status.ts'
import { seededEntropy } from '../../../support/env.ts'

it('a notice is a multipart/report that no remote word breaks', async () => {
  const bytes = deliveryNotice({
    action: 'failed',
    dsnFormat: true,
    hostname: 'mail.example.com',
    to: 'alice@sender.example',
    at: new Date('2022-03-30T00:20:10Z'),
    receivedAt: new Date('2022-03-30T00:20:00Z'),
    offsetSeconds: 0,
    id: '7.aa',
    recipients: [
      {
        address: 'bob@far.example',
        outcome: {
          code: '550',
          status: '5.1.1',
          response: '550-no\r\n\r\n--=_7.aa\r\n550 \u001b[31mEvil',
        },
      },
    ],
    original: Buffer.from('Subject: secret\r\nX: y\r\n\r\nbody text\r\n'),
  })
  const text = bytes.toString()
  expect(text).not.toMatch(/[^\r]\n|\u001b/)
  expect(text.match(/^--=_7\.aa/gm)).toHaveLength(4)
  const parsed = await simpleParser(bytes)
  expect(parsed.subject).toBe('Delivery Status Notification (Failure)')
  expect(parsed.text).toContain('<bob@far.example>')
  expect(text).toContain(
    'Final-Recipient: rfc822;bob@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550-no',
  )
  expect(text).toContain('Subject: secret\r\nX: y\r\n')
  expect(text).not.toContain('body text')
})

it.each([
  ['550 5.1.1 no', 550, true, '5.1.1'],
  ['550 no', 550, true, '5.1.0'],
  ['451 5.1.1 confused', 451, false, '4.0.0'],
  ['452-4.2.2 full\n452 4.2.2 full', 452, false, '4.2.2'],
])('the status of %j is %s', (response, code, atRecipient, status) => {
  expect(statusOf(response, code, atRecipient)).toBe(status)
})

it('has words for every class of status', () => {
  expect(['5.1.0', '5.1.2', '4.4.0', '5.4.7', '5.9.9'].map(statusReason)).toEqual([
    'Unknown address error',
    'Bad destination host',
    'Other network problem',
    'Delivery expired (message too old)',
    'Other error',
  ])
})

it('backs off by doubling, with jitter, up to the maximum', () => {
  const times = { initialRetrySeconds: 60, maxRetrySeconds: 3600 }
  const delays = [0, 1, 2, 10, 1000].map((n) => retryDelayMs(n, times, seededEntropy(n + 1)))
  for (const [i, full] of [60_000, 120_000, 240_000, 3_600_000, 3_600_000].entries()) {
    expect(delays[i]).toBeGreaterThan(full * 0.9)
    expect(delays[i]).toBeLessThanOrEqual(full)
  }
})

it.each([
  ['Subject: hi', false, 'text/rfc822-headers'],
  ['Subject: hi', true, 'message/rfc822'],
  ['Subject: grüße', false, 'message/global-headers'],
  ['Subject: grüße', true, 'message/global'],
])('a notice returns %j (whole: %s) as %s', (header, whole, type) => {
  const text = deliveryNotice({
    action: 'failed',
    dsnFormat: true,
    hostname: 'mail.example.com',
    to: 'alice@sender.example',
    at: new Date(0),
    receivedAt: new Date(0),
    offsetSeconds: 0,
    id: '7.aa',
    whole,
    recipients: [{ address: 'bob@far.example', outcome: { code: '550', status: '5.1.1', response: '550 no' } }],
    original: Buffer.from(`${header}\r\n\r\nKörper\r\n`),
  }).toString()
  expect(text).toContain(`\r\nContent-Type: ${type}\r\n`)
})
