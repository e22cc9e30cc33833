import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { extractUrls } from '../../../../../src/intel/url/extract.ts'
import { SCAN_LIMITS } from '../../../../../src/mail/message/limits.ts'
import type { ScanLimits } from '../../../../../src/mail/message/limits.ts'
import { parseMessage } from '../../../../../src/mail/message/parse.ts'
import { pdf } from '../../../../support/pdf.ts'
import { qrCode } from '../../../../support/qr.ts'
import { rar } from '../../../../support/rar.ts'
import { zip } from '../../../../support/zip.ts'

const SEVEN_ZIP = Buffer.from(
  'N3q8ryccAANFVPHDJAAAAAAAAABiAAAAAAAAABSeVfgAOZlsQGg8Biif96GPTVx0go99iNNndTfVf6GEVoU///pA4AABBAYAAQkkAAcLAQABIwMBAQVdAACAAAwaAAgKARGuKq8AAAUBEQ0AYQAuAHQAeAB0AAAAFAoBACQtNGvQet0BEgoBACQtNGvQet0BEwoBAFPFNGvQet0BFQYBACCApIEAAA==',
  'base64',
)

const parse = (name: string, content: Buffer | string, limits: Partial<ScanLimits> = {}) =>
  parseMessage(
    Buffer.from(
      [
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        '',
        'no link here',
        '--b',
        `Content-Disposition: attachment; filename="${name}"`,
        'Content-Type: application/octet-stream',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from(content).toString('base64'),
        '--b--',
        '',
      ].join('\r\n'),
    ),
    { ...SCAN_LIMITS, ...limits },
    extractUrls,
  )

const found = async (name: string, content: Buffer | string) =>
  (await parse(name, content)).urls.map((u) => `${u.file}: ${u.url}`)

const left = async (name: string, content: Buffer, limits: Partial<ScanLimits>) =>
  (await parse(name, content, limits)).attachmentsLeft

const tar = (files: Readonly<Record<string, string>>, how: string): Buffer => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-tar-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    execFileSync('tar', [how, join(folder, 'out'), '-C', folder, ...Object.keys(files)])
    return readFileSync(join(folder, 'out'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('archives', () => {
  it('are opened: tar, compressed tar, 7z, RAR', async () => {
    const files = { 'a.txt': 'see http://tar.example/a', 'b.html': '<a href="http://tar.example/b">b</a>' }
    const inside = ['a.txt: http://tar.example/a', 'b.html: http://tar.example/b']
    expect(await found('x.tar', tar(files, '-cf'))).toEqual(inside.map((line) => `x.tar/${line}`))
    expect(await found('x.tgz', gzipSync(tar(files, '-cf')))).toEqual(inside.map((line) => `x/${line}`))
    expect(await found('x.7z', SEVEN_ZIP)).toEqual(['x.7z/a.txt: http://arch.example/x'])
    expect(await found('x.rar', rar(files))).toEqual(inside.map((line) => `x.rar/${line}`))
    expect(
      await found('x.rar', rar({ 'in.zip': zip({ 'c.txt': 'http://deep.example/' }).toString('latin1') })),
    ).toEqual([])
  })

  it('are opened up to what one message may cost', async () => {
    const big = rar({ 'a.txt': 'x'.repeat(10_000) })
    expect(await left('x.rar', big, { unpackedBytes: 9999 })).toBe('an archive unpacks to too much')
    expect(await left('x.rar', big, { unpackedBytes: 10_000 })).toBeNull()
    expect(await left('x.rar', rar({ a: '1', b: '2' }), { unpackedFiles: 1 })).toBe('an archive has too many files')
  })

  it('that are broken are skipped', async () => {
    const broken = Buffer.concat([SEVEN_ZIP.subarray(0, 20), Buffer.alloc(100, 0x5a)])
    for (const bytes of [broken, SEVEN_ZIP.subarray(0, 60), rar({ a: 'text' }).subarray(0, 30)])
      expect((await parse('x', bytes)).scan).toEqual({ ok: true })
  })
})

describe('documents', () => {
  it('in PDF give their links, their text and their actions, page by page', async () => {
    const bytes = pdf(
      [
        { text: 'see http://text.example/pdf now', link: 'http://link.example/a(b' },
        { link: 'http://second.example/' },
      ],
      '/OpenAction<</S/URI/URI(http://open.example/)>>',
    )
    expect((await found('a.pdf', bytes)).sort()).toEqual([
      'a.pdf/page 1: http://link.example/a(b',
      'a.pdf/page 1: http://text.example/pdf',
      'a.pdf/page 2: http://second.example/',
      'a.pdf: http://open.example/',
    ])
    expect(await left('a.pdf', bytes, { pdfPages: 1 })).toBe('a PDF document has too many pages')
    expect((await parse('a.pdf', bytes.subarray(0, 300))).scan).toEqual({ ok: true })
  })

  it('of OpenDocument and of Office before XML give their links', async () => {
    const content = '<text:a xlink:href="http://odf.example/x">x</text:a>'
    expect(await found('a.odt', zip({ 'content.xml': content }))).toEqual(['a.odt/content.xml: http://odf.example/x'])
    const compound = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.from('\0\0HYPERLINK "http://doc.example/narrow"\0\0', 'latin1'),
      Buffer.from('http://doc.example/wide', 'utf16le'),
      Buffer.alloc(8),
    ])
    expect(await found('a.doc', compound)).toEqual([
      'a.doc: http://doc.example/narrow',
      'a.doc: http://doc.example/wide',
    ])
  })
})

describe('QR codes', () => {
  it('are read in pictures, also inside archives and PDF documents', async () => {
    const { png, picture } = await qrCode('https://qr.example/pay?x=1')
    expect(await found('a.png', png)).toEqual(['a.png/QR code: https://qr.example/pay?x=1'])
    expect(await found('a.docx', zip({ 'word/media/image1.png': png }))).toEqual([
      'a.docx/word/media/image1.png/QR code: https://qr.example/pay?x=1',
    ])
    expect(await found('a.pdf', pdf([{ picture }]))).toEqual(['a.pdf/page 1/QR code: https://qr.example/pay?x=1'])
  })

  it('are looked for in so many pictures of such a size', async () => {
    const { png } = await qrCode('https://qr.example/')
    expect(await left('a.png', png, { pixels: 100 })).toBe('a picture is too large')
    expect(await left('a.zip', zip({ 'a.png': png, 'b.png': png }), { images: 1 })).toBe('there are too many pictures')
    const bomb = Buffer.from(png)
    bomb.writeUInt32BE(60_000, 16)
    bomb.writeUInt32BE(60_000, 20)
    expect(await left('a.png', bomb, {})).toBe('a picture is too large')
    expect((await parse('a.png', png.subarray(0, 60))).scan).toEqual({ ok: true })
  })
})
