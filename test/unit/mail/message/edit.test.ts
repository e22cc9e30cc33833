import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../../../src/mail/message/edit.ts'
import { SCAN_LIMITS } from '../../../../src/mail/message/limits.ts'
import { parseMessage } from '../../../../src/mail/message/parse.ts'
import { walk } from '../../../../src/mail/message/walk.ts'
import type { Edit } from '../../../../src/mail/pipeline/stage.ts'
import { plainUrls } from '../../../support/plain-urls.ts'

const tools = { limits: SCAN_LIMITS, extract: plainUrls }
const by = { filter: { kind: 'message filter', name: 'f' }, action: 'x' } as const
const mail = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1')
const edited = (raw: Buffer, ...edits: Edit[]): string => applyEdits(raw, edits, tools).toString('latin1')
const parse = (raw: Buffer) => parseMessage(raw, SCAN_LIMITS, plainUrls)

const simple = mail('Subject: hello', 'From: a@example.com', '', 'one http://bad.example/x two', '')
const two = mail(
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=bb',
  '',
  'preamble',
  '--bb',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<p><a href=3D"http://bad.example/?a=3D1&amp;b=3D2">http://bad.example/?a=3D1&amp;b=',
  '=3D2</a> <a href=3D"http://good.example/">ok</a></p>',
  '--bb',
  'Content-Type: application/octet-stream; name=x',
  'Content-Transfer-Encoding: base64',
  '',
  'aGVsbG8=',
  '--bb--',
  '',
)

describe('edits of a message', () => {
  it('leave a message without edits untouched, the same bytes', () => {
    expect(applyEdits(simple, [], tools)).toBe(simple)
  })

  it('put a header at the end of the header and leave the rest byte for byte', () => {
    expect(edited(simple, { kind: 'header.insert', name: 'X-Note', value: 'seen' })).toBe(
      simple.toString('latin1').replace('\r\n\r\n', '\r\nX-Note: seen\r\n\r\n'),
    )
  })

  it('edit the text of the subject, also an encoded one', () => {
    const raw = mail('Subject: =?UTF-8?Q?caf=C3=A9?=', '', 'x')
    const out = edited(raw, { kind: 'header.edit', name: 'subject', pattern: '^', replacement: '[WARNING] ' })
    expect(out).toMatch(/^Subject: =\?UTF-8\?B\?/)
    expect(Buffer.from(/\?B\?(.*)\?=/.exec(out)?.[1] ?? '', 'base64').toString()).toBe('[WARNING] café')
  })

  it('strip only the Authentication-Results that bear our name', () => {
    const raw = mail(
      'Authentication-Results: mx.us.example; spf=pass',
      'Authentication-Results: other; spf=pass',
      '',
      'x',
    )
    const edit: Edit = { kind: 'header.strip', name: 'Authentication-Results', identifiedBy: 'MX.us.example' }
    expect(edited(raw, edit)).toBe('Authentication-Results: other; spf=pass\r\n\r\nx')
  })

  it('never let a value leave its header field', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (value) => {
        const out = applyEdits(simple, [{ kind: 'header.insert', name: 'X-V', value }], tools)
        const fields = walk(out, SCAN_LIMITS).root.header.fields
        expect(fields.map((f) => f.name)).toEqual(['Subject', 'From', 'X-V'])
        expect(
          out
            .toString('latin1')
            .split('\r\n')
            .every((l) => l.length <= 998),
        ).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('defang a URL in plain text and nothing else', () => {
    const edit: Edit = {
      ...by,
      kind: 'url.rewrite',
      mode: 'defang',
      visibleText: true,
      replacements: new Map([['http://bad.example/x', 'BLOCKEDbad[.]example/xBLOCKED']]),
    }
    expect(edited(simple, edit)).toBe(
      simple.toString('latin1').replace('http://bad.example/x', 'BLOCKEDbad[.]example/xBLOCKED'),
    )
  })

  it('take the link off in HTML, defang its visible text, and leave other parts byte for byte', () => {
    const raw = 'http://bad.example/?a=1&b=2'
    const replacements = new Map([[raw, 'BLOCKEDbad[.]example/?a=1&b=2BLOCKED']])
    const out = edited(two, { ...by, kind: 'url.rewrite', mode: 'defang', visibleText: true, replacements })
    expect(out).not.toContain('bad.example/')
    expect(out.replaceAll('=\r\n', '')).toContain('<a >BLOCKEDbad[.]example/?a=3D1&amp;b=3D2BLOCKED</a>')
    expect(out.replaceAll('=\r\n', '')).toContain('http://good.example/')
    expect(out.slice(out.lastIndexOf('--bb\r\n'))).toBe(
      two.toString('latin1').slice(two.toString('latin1').lastIndexOf('--bb\r\n')),
    )
  })

  it('replace a link by another address and keep the visible text when only the link is to change', () => {
    const replacements = new Map([['http://bad.example/?a=1&b=2', 'https://safe.example/?u="x"']])
    const out = edited(two, { ...by, kind: 'url.rewrite', mode: 'replace', visibleText: false, replacements })
    expect(out.replaceAll('=\r\n', '')).toContain('href=3D"https://safe.example/?u=3D&quot;x&quot;"')
    expect(out.replaceAll('=\r\n', '')).toContain('>http://bad.example/?a=3D1&amp;b=3D2</a>')
  })

  it('do not touch a longer URL that begins with the shorter one', () => {
    const raw = mail('Subject: x', '', 'http://bad.example/a http://bad.example/abc')
    const replacements = new Map([['http://bad.example/a', 'GONE']])
    expect(edited(raw, { ...by, kind: 'url.rewrite', mode: 'replace', visibleText: true, replacements })).toContain(
      '\r\n\r\nGONE http://bad.example/abc',
    )
  })

  it('stamp text and HTML, and give a text whose charset lacks a character a part of its own', async () => {
    const stamp = (text: string): Edit => ({ ...by, kind: 'body.stamp', where: 'heading', text })
    expect(edited(simple, stamp('Careful'))).toContain('\r\n\r\nCareful\r\n\r\none http')
    const html = await parse(applyEdits(two, [stamp('Prüfe <b>')], tools))
    expect(html.parts[0]?.content).toContain('<div>Pr&#252;fe &lt;b&gt;</div>')
    const own = applyEdits(simple, [stamp('Prüfe')], tools)
    expect((await parse(own)).parts.map((p) => p.content)).toEqual(['Prüfe\r\n', 'one http://bad.example/x two\r\n'])
    expect(own.toString('latin1')).toContain('\r\none http://bad.example/x two\r\n')
  })

  it('wrap signed content whole instead of changing it', () => {
    const body = [
      '--s',
      'Content-Type: text/plain',
      '',
      'hi',
      '--s',
      'Content-Type: application/pgp-signature',
      '',
      'sig',
      '--s--',
    ]
    const raw = mail('Content-Type: multipart/signed; boundary=s', '', ...body, '')
    const out = edited(raw, { ...by, kind: 'body.stamp', where: 'footer', text: 'note' })
    expect(out).toContain(body.join('\r\n'))
    expect(out).toMatch(/^MIME-Version: 1.0\r\nContent-Type: multipart\/mixed/)
  })

  it('give something that parses whatever the message is', async () => {
    const bytes = fc.array(
      fc.constantFrom(
        'Subject: x\r\n',
        '\r\n',
        '--bb\r\n',
        '--bb--\r\n',
        'Content-Type: multipart/mixed; boundary=bb\r\n',
        'Content-Type: text/html\r\n',
        'Content-Transfer-Encoding: base64\r\n',
        'Content-Transfer-Encoding: quoted-printable\r\n',
        '<a href="http://u.example/">',
        'http://u.example/ ',
        'é=\n',
        '\u0000',
      ),
      { maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (pieces) => {
        const raw = Buffer.from(pieces.join(''), 'latin1')
        const edits: Edit[] = [
          {
            ...by,
            kind: 'url.rewrite',
            mode: 'defang',
            visibleText: true,
            replacements: new Map([['http://u.example/', 'X']]),
          },
          { ...by, kind: 'body.stamp', where: 'footer', text: 'foot ü' },
          { kind: 'header.insert', name: 'X-Last', value: 'v' },
        ]
        const out = applyEdits(raw, edits, tools)
        const after = await parse(out)
        expect(after.headers.some((h) => h.name === 'X-Last')).toBe(true)
        expect(after.parts.every((p) => !p.content.includes('http://u.example/'))).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
