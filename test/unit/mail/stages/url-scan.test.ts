import { afterEach, describe, expect, it } from 'vitest'
import { urlFiltering } from '../../../../src/config/sections/url-filtering.ts'
import { urlRetrospection } from '../../../../src/config/sections/url-retrospection.ts'
import { openPipeline } from '../../../support/pipeline.ts'
import type { PipelineOptions } from '../../../support/pipeline.ts'

const mail = (body: string, attachment: string, header = ''): Buffer =>
  Buffer.from(
    `${header}From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${body}\r\n--b\r\n` +
      `Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\n${attachment}\r\n--b--\r\n`,
  )

let open: Awaited<ReturnType<typeof openPipeline>> | null = null
const start = async (options: PipelineOptions) => (open = await openPipeline(options))
afterEach(async () => {
  await open?.dispose()
  open = null
})

const limits = (maxUrlsInBody: number, maxUrlsInAttachments: number) =>
  new Map([[urlFiltering, { ...urlFiltering.defaults, maxUrlsInBody, maxUrlsInAttachments }]])

describe('a message with more URLs than may be looked up', () => {
  it('is told and marked, for body and attachments apart', async () => {
    const p = await start({ sections: limits(1, 1) })
    const mid = await p.run({
      body: mail('http://a.example/ http://b.example/', 'http://c.example/\nhttp://d.example/'),
    })
    expect(p.of('message.partly-scanned')).toEqual([
      {
        type: 'message.partly-scanned',
        mid,
        reason: 'The number of URLs in the message body exceeded the URL scan limit.',
      },
      {
        type: 'message.partly-scanned',
        mid,
        reason: 'The number of URLs in the message attachments exceeded the URL scan limit.',
      },
    ])
    expect((await p.spool.body(mid)).toString().replace(/\r\n /g, ' ')).toContain(
      'X-URL-LookUp-ScanningError: The number of URLs in the message attachments exceeded the URL scan limit.',
    )
  })

  it('cannot be marked by its sender', async () => {
    const p = await start({ sections: limits(9, 9) })
    const mid = await p.run({ body: mail('hello', 'world', 'X-URL-LookUp-ScanningError: forged\r\n') })
    expect(p.of('message.partly-scanned')).toEqual([])
    expect((await p.spool.body(mid)).toString()).not.toContain('ScanningError')
  })
})

describe("the attachment and body arguments of a filter's URL rule", () => {
  it.each([
    [0, 1, 'http://bad.example/', 'clean', 1],
    [0, 1, 'clean', 'http://bad.example/', 0],
    [1, 0, 'clean', 'http://bad.example/', 1],
    [1, 0, 'http://bad.example/', 'clean', 0],
    [1, 1, 'clean', 'http://bad.example/', 1],
    [0, 0, 'http://bad.example/', 'http://bad.example/', 0],
  ])('%i,%i with body %j and attachment %j', async (att, body, text, attached, times) => {
    const script = `if url-reputation(-10.00, -6.00, "", ${att}, ${body}) { log-entry("bad"); }`
    const p = await start({ scores: { 'http://bad.example/': -9 }, filters: [{ name: 'f', script }] })
    await p.run({ body: mail(text, attached) })
    expect(p.of('filter.log-entry')).toHaveLength(times)
  })
})

it('an action rewrites what the reader can click, not what somebody defanged nor an attachment', async () => {
  const script = 'if true { url-reputation-defang(-10.00, -6.00, ""); }'
  const p = await start({ scores: { 'http://bad.example/': -9 }, filters: [{ name: 'f', script }] })
  await p.run({
    body: mail('hxxp://bad[.]example/ and http://t.example/?u=http://bad.example/ end', 'http://bad.example/'),
  })
  const into = p.of('message.rewritten')[0]?.into ?? 0
  const sent = (await p.spool.body(into)).toString()
  expect(sent).toContain('hxxp://bad[.]example/ and BLOCKEDbad[.]example/BLOCKED end')
  expect(sent).toContain('attachment\r\n\r\nhttp://bad.example/\r\n')
})

describe('the retrospective service watches', () => {
  const body = mail('http://new.example/ http://away.example/ http://fair.example/ http://bad.example/', 'text')
  const of = (watchScored: boolean): PipelineOptions => ({
    scores: { 'http://fair.example/': 2, 'http://bad.example/': -9 },
    unreachable: ['http://away.example/'],
    sections: new Map([[urlRetrospection, { ...urlRetrospection.defaults, enabled: true, watchScored }]]),
  })

  it('URLs without a score, and those whose look-up failed', async () => {
    const p = await start(of(false))
    await p.run({ body })
    expect(p.watched).toEqual(['http://new.example/', 'http://away.example/'])
  })

  it('with setup also URLs whose score may still turn, and none that is Untrusted already', async () => {
    const p = await start(of(true))
    await p.run({ body })
    expect([...p.watched].sort()).toEqual(['http://away.example/', 'http://fair.example/', 'http://new.example/'])
  })
})

describe('url-category', () => {
  const [bad, other] = ['http://bad.example/', 'http://other.example/']
  const run = async (script: string) => {
    const p = await start({ categories: { [bad]: 'Phishing' }, filters: [{ name: 'f', script }] })
    return { p, mid: await p.run({ body: mail(`${bad} ${other}`, 'text') }) }
  }

  it.each([
    [`['phishing']`, [bad]],
    [`['gambling', 'Unclassified']`, [other]],
    [`['gambling']`, []],
  ])('%s matches the words of the sources in any case', async (categories, urls) => {
    const { p } = await run(`if url-category(${categories}) { log-entry("hit"); }`)
    expect(p.of('filter.log-entry')).toHaveLength(urls.length > 0 ? 1 : 0)
    expect(p.of('url.matched').map((e) => [e.url, e.detail])).toEqual(urls.map((u) => [u, 'URL Category Rule']))
  })

  it('chooses what an action rewrites', async () => {
    const { p } = await run(
      `if true { url-category-replace(['phishing'], "gone: $URL"); url-category-defang(['Unclassified']); }`,
    )
    const sent = (await p.spool.body(p.of('message.rewritten').at(-1)?.into ?? 0)).toString()
    expect(sent).toContain(`gone: ${bad}`)
    expect(sent).toContain('BLOCKEDother[.]example/BLOCKED')
  })
})
