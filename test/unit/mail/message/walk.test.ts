import { describe, expect, it } from 'vitest'
import { extractUrls } from '../../../../src/intel/url/extract.ts'
import { SCAN_LIMITS } from '../../../../src/mail/message/limits.ts'
import { parseMessage } from '../../../../src/mail/message/parse.ts'

const URL = 'http://evil.example/x'
const mail = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1')
const parse = (...lines: string[]) => parseMessage(mail(...lines), SCAN_LIMITS, extractUrls)

describe('the parts of a message that is not written as it should be', () => {
  it.each(['text', 'html', '/', 'text\\html', '"text/plain"', 'text / plain'])(
    'takes the media type %s for text, as readers do',
    async (type) => {
      const { urls, scan } = await parse(`Content-Type: ${type}`, '', URL)
      expect(urls.map((u) => [u.url, u.where])).toEqual([[URL, 'text']])
      expect(scan.ok).toBe(true)
    },
  )

  it.each(['multipart/mixed', 'multipart/mixed; boundary=', 'multipart/mixed; boundary=nowhere'])(
    'reads %s that nothing divides as text',
    async (type) => {
      expect((await parse(`Content-Type: ${type}`, '', URL)).urls.map((u) => u.url)).toEqual([URL])
    },
  )

  it.each([
    ['padding between two stretches', `eA==\r\n${Buffer.from(URL).toString('base64')}`],
    [
      'padding where none can be',
      Buffer.from(URL)
        .toString('base64')
        .replace(/^(.{10})/, '$1=*\r\n'),
    ],
    ['padding and nothing behind it', `${Buffer.from(`${URL} .`).toString('base64')}\r\n`],
  ])('decodes base64 with %s as readers do', async (_how, body) => {
    const { parts } = await parse('Content-Transfer-Encoding: base64', '', body)
    expect(parts[0]?.content).toContain(URL)
  })

  it('finds the parts although the boundary is written with a blank at its end', async () => {
    const { urls } = await parse('Content-Type: multipart/mixed; boundary="b "', '', '--b', '', URL, '--b--', '')
    expect(urls.map((u) => u.url)).toEqual([URL])
  })

  it.each([
    ['two fields Content-Type that differ', ['Content-Type: text/plain', 'Content-Type: text/html']],
    [
      'two fields Content-Transfer-Encoding that differ',
      ['Content-Transfer-Encoding: 7bit', 'Content-Transfer-Encoding: base64'],
    ],
    ['a line in the header is no field', ['Subject: x', 'no field', 'Content-Type: text/html']],
  ])('is not valid for a filter: %s', async (reason, header) => {
    expect((await parse(...header, '', 'x')).scan).toEqual({ ok: false, reason })
  })

  it.each([
    [['Content-Type: text/plain', 'content-type:  text/plain'], 'x'],
    [['Subject: x', 'no field', 'body'], 'Content-Type: text/html'],
    [['just text'], 'x'],
  ])('is valid when nothing can be mistaken: %j', async (header, body) => {
    expect((await parse(...header, '', body)).scan).toEqual({ ok: true })
  })
})
