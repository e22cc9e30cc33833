import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractUrls } from '../../../../src/intel/url/extract.ts'
import { rewriteUrls } from '../../../../src/mail/message/edit-urls.ts'
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

  /** As the scan finds them; defangs every link to evil.example. */
  const defanged = (kind: 'plain' | 'html', encoding: string, body: string): string => {
    const raw = mail(`Content-Type: text/${kind}; charset=utf-8`, `Content-Transfer-Encoding: ${encoding}`, '', body)
    const found = extractUrls({ kind: kind === 'html' ? 'html' : 'text', content: body }, 100)
    expect(found.length).toBeGreaterThan(0)
    const replacements = new Map(found.map((u) => [u.raw, 'BLOCKED']))
    const edit: Edit = { ...by, kind: 'url.rewrite', mode: 'defang', visibleText: false, replacements }
    return applyEdits(raw, [edit], { limits: SCAN_LIMITS, extract: extractUrls }).toString('latin1')
  }

  it.each([
    ['a character reference that is no ASCII', '<a href="http://ev&shy;il.example/pay">x</a>'],
    ['a line end by name', '<a href="http://evil.example/p&NewLine;ay">x</a>'],
    ['no blank before the attribute', '<a x="y"href="http://evil.example/pay">x</a>'],
    ['a stray quote before the attribute', '<a foo"bar href="http://evil.example/pay">x</a>'],
    ['escapes of CSS', '<p style="background:url(http:\\2f\\2f evil.example/pay)">x</p>'],
    ['a style sheet with escapes', '<style>p{background:url(http:\\2f\\2f evil.example/pay)}</style>x'],
    ['a document in an attribute', '<iframe srcdoc="&lt;a href=h&amp;#116;tp://evil.example/pay&gt;">'],
    ['a document in a data URL', '<iframe src="data:text/html,%3Ca%20href=http://evil.example/pay%3E">'],
    ['a conditional comment', '<!--[if mso]><a href="http&colon;//evil.example/pay">x</a><![endif]-->'],
    ['an element that readers may not know', '<xmp><a href="http://evil.example/pay">x</a></xmp>'],
  ])('take a link out of HTML that is written with %s', (_how, html) => {
    const out = defanged('html', '8bit', html)
    const body = out.slice(out.indexOf('\r\n\r\n'))
    expect(extractUrls({ kind: 'html', content: body }, 100)).toEqual([])
    expect(body).not.toContain('evil')
  })

  it.each(['x-unknown', '8bit; x', '"7bit"'])('rewrite a URL in a part whose encoding is written as %s', (encoding) => {
    expect(defanged('plain', encoding, 'see http://evil.example/pay now')).toContain('see BLOCKED now')
  })

  it('keep every other byte of a text that is not in the charset that it claims', () => {
    const body = 'Gr\xfc\xdfe http://evil.example/x \xe4'
    expect(defanged('plain', '8bit', body)).toMatch(/Gr\xfc\xdfe BLOCKED \xe4$/)
    // But not the URL, when only the charset shows it.
    const idn = Buffer.from('b\u00fccher http://b\u00fccher.example/x ', 'utf8').toString('latin1') + '\xe4'
    const raw = mail('Content-Type: text/plain; charset=utf-8', '', idn)
    const edit = {
      mode: 'defang',
      visibleText: true,
      replacements: new Map([['http://bücher.example/x', 'X']]),
    } as const
    const out = applyEdits(raw, [{ ...by, ...edit, kind: 'url.rewrite' }], {
      limits: SCAN_LIMITS,
      extract: extractUrls,
    })
    expect(out.toString()).not.toContain('example/x')
    const stamp: Edit = { ...by, kind: 'body.stamp', where: 'footer', text: 'note' }
    expect(edited(mail('Subject: x', '', body), stamp)).toContain(body)
  })

  it('say MIME-Version with the encoding that they bring in, and keep what else Content-Type says', () => {
    const replacements = new Map([['http://bad.example/x', 'Prüfung']])
    const edit: Edit = { ...by, kind: 'url.rewrite', mode: 'replace', visibleText: true, replacements }
    const out = edited(mail('Content-Type: text/plain; format=flowed', '', 'see http://bad.example/x', ''), edit)
    expect(out).toContain('Content-Type: text/plain; charset=utf-8;\r\n format="flowed"\r\n')
    expect(out).toContain('MIME-Version: 1.0\r\n')
    expect(edited(mail('Subject: x', '', 'see http://bad.example/x', ''), edit)).toMatch(/^MIME-Version: 1\.0\r\n/m)
  })

  it('decode what is written as `base64;`, as readers do', async () => {
    const body = Buffer.from('http://evil.example/pay').toString('base64')
    const parsed = await parse(mail('Content-Transfer-Encoding: base64;', '', body))
    expect(parsed.urls.map((u) => u.url)).toEqual(['http://evil.example/pay'])
  })

  it('fail when a URL is still there: the message must not go on as if it were not', () => {
    const find = (text: string) => (text.includes('secret') ? ['http://evil.example/'] : [])
    const rewrite = {
      mode: 'defang',
      visibleText: true,
      replacements: new Map([['http://evil.example/', 'x']]),
    } as const
    expect(() => rewriteUrls('text', 'a secret way', rewrite, find)).toThrow('a URL could not be rewritten')
    expect(rewriteUrls('text', 'an open way', rewrite, find)).toBe('an open way')
  })

  it('put a stamp where a reader of HTML sees it: behind letters that grow in lower case, and in no comment', () => {
    const html = (body: string): Buffer => Buffer.from(`Content-Type: text/html; charset=utf-8\r\n\r\n${body}`)
    const stamp = (where: 'heading' | 'footer'): Edit => ({ ...by, kind: 'body.stamp', where, text: 'note' })
    const out = (body: string, where: 'heading' | 'footer') => applyEdits(html(body), [stamp(where)], tools).toString()
    const long = `<body>${'İ'.repeat(20)}<p>text</p></body></html>`
    expect(out(long, 'footer')).toContain('<p>text</p><div>note</div></body></html>')
    expect(out('<!-- <body> --><body>x</body>', 'heading')).toContain('<body><div>note</div>x')
    expect(out('<body>x</body><!-- </body> -->', 'footer')).toContain('x<div>note</div></body>')
  })

  it('leave a header that is longer than we read in one piece', () => {
    const tight = { limits: { ...SCAN_LIMITS, headers: 2 }, extract: plainUrls }
    const raw = mail('A: 1', 'B: 2', 'C: 3', '', 'body')
    const out = applyEdits(raw, [{ kind: 'header.strip', name: 'A' }], tight).toString()
    expect(out).toBe('B: 2\r\nC: 3\r\n\r\nbody')
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
