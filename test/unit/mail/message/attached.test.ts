import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { extractUrls } from '../../../../src/intel/url/extract.ts'
import { SCAN_LIMITS } from '../../../../src/mail/message/limits.ts'
import type { ScanLimits } from '../../../../src/mail/message/limits.ts'
import { parseMessage } from '../../../../src/mail/message/parse.ts'
import { zip } from '../../../support/zip.ts'

interface Attachment {
  readonly type: string
  readonly name: string
  readonly content: string | Buffer
}

const mail = (...attachments: readonly Attachment[]): Buffer =>
  Buffer.from(
    [
      'From: a@sender.example',
      'Subject: see http://subject.example/',
      'List-Unsubscribe: <mailto:x@list.example>, <https://list.example/u?x=1>',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'body http://body.example/',
      ...attachments.flatMap(({ type, name, content }) => [
        '--b',
        `Content-Type: ${type}; name="${name}"`,
        'Content-Disposition: attachment',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from(content).toString('base64'),
      ]),
      '--b--',
      '',
    ].join('\r\n'),
  )

const parse = (raw: Buffer, limits: Partial<ScanLimits> = {}) =>
  parseMessage(raw, { ...SCAN_LIMITS, ...limits }, extractUrls)

const attached = async (type: string, name: string, content: string | Buffer) =>
  (await parse(mail({ type, name, content }))).urls.filter((u) => u.where === 'attachment').map((u) => [u.file, u.url])

describe('URLs of a message', () => {
  it('say where they were found', async () => {
    const { urls } = await parse(mail({ type: 'text/plain', name: 'a.txt', content: 'http://body.example/' }))
    expect(urls.map((u) => [u.where, u.url])).toEqual([
      ['subject', 'http://subject.example/'],
      ['header', 'https://list.example/u?x=1'],
      ['text', 'http://body.example/'],
      ['attachment', 'http://body.example/'],
    ])
  })

  it('are joined over the lines of format=flowed with delsp', async () => {
    const raw = Buffer.from(
      'Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nsee http://flowed.example/a \r\nb/c \r\nd\r\nend\r\n',
    )
    const { urls } = await parse(raw)
    expect(urls).toContainEqual({
      raw: 'http://flowed.example/a \r\nb/c \r\nd',
      url: 'http://flowed.example/ab/cd',
      where: 'text',
    })
  })

  it('note a link whose text names another domain, unless a tracker leads there', async () => {
    const html = (body: string) => parse(Buffer.from(`Content-Type: text/html\r\n\r\n${body}\r\n`))
    expect((await html('<a href="http://evil.example/x">https://www.bank.example/</a>')).urls[0]).toEqual({
      raw: 'http://evil.example/x',
      url: 'http://evil.example/x',
      where: 'html',
      shown: 'https://www.bank.example/',
    })
    for (const honest of [
      '<a href="http://www.bank.example/x">http://bank.example</a>',
      '<a href="http://t.example/?u=http%3A%2F%2Fbank.example%2F">http://bank.example/</a>',
      '<a href="http://evil.example/x">click here</a>',
    ])
      expect((await html(honest)).urls.every((u) => u.shown === undefined)).toBe(true)
  })
})

describe('URLs in attachments', () => {
  const inner = (text: string): string => `Subject: http://in.example/s\r\nContent-Type: text/html\r\n\r\n${text}`
  it.each<[string, string, string | Buffer, readonly (readonly string[])[]]>([
    ['text/plain', 'a.txt', 'http://t.example/', [['a.txt', 'http://t.example/']]],
    ['text/html', 'a.html', '<a href=http://h.example/>x</a>', [['a.html', 'http://h.example/']]],
    ['application/octet-stream', 'a.htm', '<a href=http://h.example/>x</a>', [['a.htm', 'http://h.example/']]],
    [
      'image/svg+xml',
      'a',
      '<svg xmlns="http://www.w3.org/2000/svg"><a href="http://s.example/"/></svg>',
      [['a', 'http://s.example/']],
    ],
    [
      'application/octet-stream',
      'go.url',
      '[InternetShortcut]\r\nURL=http://u.example/\r\n',
      [['go.url', 'http://u.example/']],
    ],
    [
      'text/plain',
      'u16.txt',
      Buffer.from('\ufeffhttp://wide.example/', 'utf16le'),
      [['u16.txt', 'http://wide.example/']],
    ],
    [
      'text/calendar',
      'i.ics',
      'BEGIN:VEVENT\r\nDESCRIPTION:Join http://c.exam\r\n ple/a\\, or\\nhttp://d.example/\r\nURL:http://e.example/\r\nX-ALT-DESC;FMTTYPE=text/html:<a href="http://f.example/">x</a>\r\n',
      [
        ['i.ics', 'http://c.example/a'],
        ['i.ics', 'http://d.example/'],
        ['i.ics', 'http://e.example/'],
        ['i.ics', 'http://f.example/'],
      ],
    ],
    [
      'message/rfc822',
      'm.eml',
      inner('<a href=http://in.example/b>x</a>'),
      [
        ['m.eml', 'http://in.example/s'],
        ['m.eml/body', 'http://in.example/b'],
      ],
    ],
    ['application/zip', 'a.zip', zip({ 'd/x.txt': 'http://z.example/' }), [['a.zip/d/x.txt', 'http://z.example/']]],
    [
      'application/octet-stream',
      'a.zip',
      zip({ 'b.zip': zip({ 'c.eml': inner('http://deep.example/') }) }),
      [
        ['a.zip/b.zip/c.eml', 'http://in.example/s'],
        ['a.zip/b.zip/c.eml/body', 'http://deep.example/'],
      ],
    ],
    ['application/gzip', 'a.txt.gz', gzipSync('http://gz.example/'), [['a.txt', 'http://gz.example/']]],
    [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'd.docx',
      zip({
        'word/_rels/document.xml.rels':
          '<Relationships xmlns="http://schemas.example/r"><Relationship Id="1" Target="http://rel.example/?a=1&amp;b=2" TargetMode="External"/><Relationship Target="styles.xml"/></Relationships>',
        'word/document.xml':
          '<w:document xmlns:w="http://schemas.example/w"><w:p><w:r><w:t>http://run.exam</w:t></w:r><w:r><w:t>ple/x</w:t></w:r></w:p><w:instrText>HYPERLINK "http://field.example/"</w:instrText></w:document>',
      }),
      [
        ['d.docx/word/_rels/document.xml.rels', 'http://rel.example/?a=1&b=2'],
        ['d.docx/word/document.xml', 'http://run.example/x'],
        ['d.docx/word/document.xml', 'http://field.example/'],
      ],
    ],
    ['image/png', 'a.png', 'http://picture.example/', []],
    ['application/zip', 'broken.zip', Buffer.from('PK\x03\x04garbage'), []],
  ])('are found in %s %s', async (type, name, content, expected) => {
    expect(await attached(type, name, content)).toEqual(expected)
  })

  it('stop at the limits, and say so', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `http://h${i}.example/`).join('\n')
    const text = mail({ type: 'text/plain', name: 'a.txt', content: many })
    const few = await parse(text, { attachmentUrls: 5 })
    expect(few.urls.filter((u) => u.where === 'attachment')).toHaveLength(5)
    expect([few.attachmentUrlsCut, few.urlsCut, few.attachmentsLeft]).toEqual([true, false, null])
    expect((await parse(text, { attachmentUrls: 40 })).attachmentUrlsCut).toBe(false)
  })

  it.each<[string, string | Buffer, Partial<ScanLimits>, string]>([
    [
      'a.zip',
      zip({ 'a.txt': Buffer.alloc(3_000_000, 97) }, 10),
      { unpackedBytes: 1_000_000 },
      'an archive unpacks to too much',
    ],
    ['a.gz', gzipSync(Buffer.alloc(3_000_000, 97)), { unpackedBytes: 1_000_000 }, 'an archive unpacks to too much'],
    [
      'a.zip',
      zip(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}.txt`, 'x']))),
      { unpackedFiles: 5 },
      'an archive has too many files',
    ],
    [
      'a.zip',
      zip({ 'b.zip': zip({ 'c.zip': zip({ 'd.txt': 'http://d.example/' }) }) }),
      { archiveDepth: 1 },
      'attachments are nested too deep',
    ],
  ])('of a hostile archive are left: %s %#', async (name, content, limits, reason) => {
    const { attachmentsLeft, scan, urls } = await parse(
      mail({ type: 'application/octet-stream', name, content }),
      limits,
    )
    // What lies about its size is broken, not large: nothing of it is read.
    if (attachmentsLeft !== null) expect(attachmentsLeft).toBe(reason)
    else expect(name).toBe('a.zip')
    expect(scan.ok).toBe(true)
    expect(urls.some((u) => u.where === 'attachment')).toBe(false)
  })
})
