import { afterEach, describe, expect, it } from 'vitest'
import { urlFiltering } from '../../../../src/config/sections/url-filtering.ts'
import { openPipeline } from '../../../support/pipeline.ts'
import type { PipelineOptions } from '../../../support/pipeline.ts'

let open: Awaited<ReturnType<typeof openPipeline>> | null = null
const start = async (expandShortened: boolean, options: PipelineOptions = {}) =>
  (open = await openPipeline({
    sections: new Map([[urlFiltering, { ...urlFiltering.defaults, expandShortened }]]),
    shortLinks: { 'https://bit.ly/x': 'http://bad.example/' },
    scores: { 'http://bad.example/': -8, 'https://bit.ly/x': 3 },
    filters: [
      { name: 'f', script: "if (url-reputation(-10.00, -6.00, '')) { url-reputation-defang(-10.00, -6.00, '', 0); }" },
    ],
    ...options,
  }))
afterEach(async () => {
  await open?.dispose()
  open = null
})

const body = Buffer.from('From: a@sender.example\r\n\r\nsee https://bit.ly/x and http://other.example/\r\n')

describe('a short link', () => {
  it('is judged by where it leads, and an action that hits the target takes the whole link', async () => {
    const p = await start(true)
    const mid = await p.run({ body })
    expect(p.of('url.expanded')).toEqual([
      { type: 'url.expanded', mid, url: 'https://bit.ly/x', target: 'http://bad.example/' },
    ])
    const queued = (await p.spool.body(p.of('message.rewritten')[0]?.into ?? mid)).toString()
    expect(queued).toContain('see BLOCKEDbad[.]example/BLOCKED and http://other.example/')
  })

  it('is not asked for unless websecurityadvancedconfig says so', async () => {
    const p = await start(false)
    const mid = await p.run({ body })
    expect(p.of('url.expanded')).toEqual([])
    expect((await p.spool.body(mid)).toString()).toContain('https://bit.ly/x')
  })
})
