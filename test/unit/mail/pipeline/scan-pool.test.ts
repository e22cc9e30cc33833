import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/core/clock.ts'
import { createScanPool } from '../../../../src/mail/pipeline/scan-pool.ts'
import { root } from '../../../support/root.ts'

const workerFile = join(root, 'dist/scan-worker.js')
const pool = createScanPool({ workerFile, threads: 1, deadlineMs: 8000, clock: systemClock })
const hasty = createScanPool({ workerFile, threads: 1, deadlineMs: 1, clock: systemClock })
const { signal } = new AbortController()
const raw = Buffer.from(
  [
    'Subject: =?utf-8?q?f=C3=BCr?= http://s.example/',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/html',
    '',
    '<a href="http://a.example/?x=1&amp;y=2">here</a>',
    '--b',
    'Content-Type: application/pdf; name="a.pdf"',
    'Content-Disposition: attachment; filename="a.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    'aGVsbG8=',
    '--b--',
    '',
  ].join('\r\n'),
)

describe('the scan workers', () => {
  afterAll(async () => {
    await pool.close()
    await hasty.close()
  })

  it('parse, edit and search in a thread of their own', async () => {
    const parsed = await pool.scan(raw, { body: 100, attachments: 25 }, signal)
    expect(parsed.scan).toEqual({ ok: true })
    expect(parsed.headers[0]?.value).toBe('für http://s.example/')
    expect(parsed.urls.map((u) => [u.url, u.where])).toEqual([
      ['http://s.example/', 'subject'],
      ['http://a.example/?x=1&y=2', 'html'],
    ])
    expect(parsed.attachments).toEqual([{ name: 'a.pdf', contentType: 'application/pdf', bytes: 5, path: '2' }])
    const edited = await pool.edit(raw, [{ kind: 'header.insert', name: 'X-A', value: 'b' }], 100, signal)
    expect(edited.toString()).toBe(raw.toString().replace('\r\n\r\n--b', '\r\nX-A: b\r\n\r\n--b'))
    expect(await pool.count('a+b', ['xaab '.repeat(5000)], 3, signal)).toBe(3)
  })

  it('end a scan that takes too long; the message is unscannable with its header, and the next one is scanned', async () => {
    // Work of many milliseconds, whatever the machine.
    const long = Buffer.concat([raw, Buffer.from('http://a.example/ '.repeat(50_000))])
    const parsed = await hasty.scan(long, { body: 100, attachments: 25 }, signal)
    expect(parsed.scan).toEqual({ ok: false, reason: 'the scan took longer than 0.001 s' })
    expect(parsed.headers.map((h) => h.name)).toEqual(['Subject', 'Content-Type'])
    await expect(hasty.count('a+b', ['ab '.repeat(2_000_000)], 10_000_000, signal)).rejects.toThrow('no answer within')
  })
})
