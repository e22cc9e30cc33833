import { LinkifyIt } from 'linkify-it'
import { extractUrls } from '../../src/intel/url/extract.ts'
import { SCAN_LIMITS } from '../../src/mail/message/limits.ts'
import { parseMessage } from '../../src/mail/message/parse.ts'
import { median, table } from './measure.ts'

const WORDS = 'the invoice of your last order is ready and can be paid until friday please read our terms at'.split(' ')

/** Prose with a URL every `every` words. */
const prose = (bytes: number, every: number): string => {
  const out: string[] = []
  for (let i = 0, size = 0; size < bytes; i++) {
    const word =
      i % every === every - 1
        ? `https://www.shop${i % 97}.example/order/${i}?id=${i * 7919}`
        : `${WORDS[i % WORDS.length]}${i % 17 === 16 ? '.\r\n' : ''}`
    out.push(word)
    size += word.length + 1
  }
  return out.join(' ').slice(0, bytes)
}

const newsletter = (bytes: number): string => {
  const item = (i: number): string =>
    `<tr><td style="padding:0 10px;background:url(https://cdn.example/bg${i}.png)"><a href="https://click.news.example/?u=https%3A%2F%2Fshop.example%2Fitem%2F${i}&amp;m=${i * 31}" style="color:#333;text-decoration:none"><img src="https://cdn.example/img/${i}.jpg" width="280" alt="Item ${i}"></a><p style="font:14px Arial,sans-serif">${prose(300, 1000)}</p></td></tr>\n`
  let html = '<html><head><base href="https://news.example/"></head><body><table>'
  for (let i = 0; html.length < bytes; i++) html += item(i)
  return `${html}</table></body></html>`
}

/** A text, the newsletter, and attachments that fill it up: a text file and what nobody can read. */
const largeMessage = (bytes: number): Buffer => {
  const part = (head: string, content: Buffer): string =>
    `--b\r\n${head}\r\nContent-Transfer-Encoding: base64\r\n\r\n${content.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`
  const opaque = Buffer.alloc(Math.floor(bytes * 0.55), 'q7x')
  return Buffer.from(
    [
      'From: a@sender.example\r\nTo: b@example.com\r\nSubject: bench\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n',
      `--b\r\nContent-Type: text/plain\r\n\r\n${prose(4096, 40)}\r\n`,
      `--b\r\nContent-Type: text/html\r\n\r\n${newsletter(51_200)}\r\n`,
      part(
        'Content-Type: text/plain; name=log.txt\r\nContent-Disposition: attachment',
        Buffer.from(prose(bytes * 0.18, 400)),
      ),
      part('Content-Type: application/octet-stream; name=data.bin\r\nContent-Disposition: attachment', opaque),
      '--b--\r\n',
    ].join(''),
  )
}

interface Contender {
  readonly name: string
  readonly bytes: number
  readonly run: () => unknown
}

/**
 * Megabytes a second of processor time, so that the machine's other work does not count: each contender once a round for
 * about `budgetMs`, median of the rounds.
 */
const rates = async (
  contenders: readonly Contender[],
  rounds: number,
  budgetMs: number,
): Promise<readonly number[]> => {
  const seen = contenders.map((): number[] => [])
  for (let round = 0; round <= rounds; round++)
    for (const [i, { bytes, run }] of contenders.entries()) {
      let times = 0
      const start = process.cpuUsage()
      let ms = 0
      do {
        await run()
        times += 1
        const { user, system } = process.cpuUsage(start)
        ms = (user + system) / 1000
      } while (ms < budgetMs)
      if (round > 0) seen[i]?.push((bytes * times) / 1000 / ms) // the first round compiles
    }
  return seen.map(median)
}

/** Finding URLs, beside linkify-it on the same text. */
export const extraction = async (options: { readonly rounds: number; readonly budgetMs: number }): Promise<string> => {
  const linkify = new LinkifyIt()
  const text = prose(4096, 40)
  const html = newsletter(51_200)
  const message = largeMessage(5_242_880)
  const limits = { ...SCAN_LIMITS, urls: 10_000, attachmentUrls: 10_000 }
  const contenders: readonly Contender[] = [
    { name: '4 KB text', bytes: text.length, run: () => extractUrls({ kind: 'text', content: text }, 10_000) },
    { name: '4 KB text, linkify-it', bytes: text.length, run: () => linkify.match(text) },
    {
      name: '50 KB HTML newsletter',
      bytes: html.length,
      run: () => extractUrls({ kind: 'html', content: html }, 10_000),
    },
    { name: '50 KB HTML newsletter, linkify-it', bytes: html.length, run: () => linkify.match(html) },
    {
      name: `${(message.length / 1_048_576).toFixed(1)} MB message, parsed whole`,
      bytes: message.length,
      run: () => parseMessage(message, limits, extractUrls),
    },
    {
      name: 'the same bytes as text, linkify-it',
      bytes: message.length,
      run: () => linkify.match(message.toString('latin1')),
    },
  ]
  const found = await rates(contenders, options.rounds, options.budgetMs)
  return table(
    ['input', 'MB/s'],
    contenders.map(({ name }, i) => [name, (found[i] ?? 0).toFixed(1)]),
  )
}
