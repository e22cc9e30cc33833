import { afterEach, expect, it } from 'vitest'
import { addressLists } from '../../../../src/config/sections/address-lists.ts'
import { sdr } from '../../../../src/config/sections/sdr.ts'
import type { SdrResult } from '../../../../src/intel/sdr/port.ts'
import { openPipeline } from '../../../support/pipeline.ts'

let open: Awaited<ReturnType<typeof openPipeline>> | null = null
afterEach(async () => {
  await open?.dispose()
  open = null
})

const judged: SdrResult = {
  kind: 'verdict',
  verdict: {
    level: 'trusted',
    category: null,
    suspected: [],
    ageDays: null,
    ageDomain: null,
    because: [],
  },
}
const body = (more: string) => Buffer.from(`From: a@sender.example${more}\r\n\r\nhello\r\n`)

it('SDR judges no message by a part of its addresses', async () => {
  const p = (open = await openPipeline({
    sdr: judged,
    sections: new Map([[sdr, { ...sdr.defaults, enabled: true }]]),
    filters: [{ name: 'f', script: 'if sdr-unscannable("") { insert-header("X-Unscanned", "yes"); }' }],
  }))
  const few = await p.run({ body: body(',\r\n b@sender.example'.repeat(10)) })
  expect(p.of('sdr.unscanned')).toEqual([])
  expect((await p.spool.body(few)).toString()).not.toContain('X-Unscanned')
  const many = await p.run({ body: body(',\r\n b@sender.example'.repeat(1000)) })
  expect(p.of('sdr.unscanned')).toEqual([
    { type: 'sdr.unscanned', mid: many, reason: 'the message has too many addresses' },
  ])
  expect((await p.spool.body(many)).toString()).toContain('X-Unscanned: yes')
})

it("a filter's domain exception list excepts only what is listed wholly", async () => {
  const p = (open = await openPipeline({
    sdr: judged,
    sections: new Map<unknown, unknown>([
      [sdr, { ...sdr.defaults, exceptionMatchEnvelopeOnly: false }],
      [addressLists, [{ name: 'ours', description: '', type: 'domains', entries: ['sender.example'] }]],
    ]),
    filters: [
      {
        name: 'f',
        script:
          'if sdr-reputation(["trusted"], "ours") or sdr-unscannable("ours") { insert-header("X-Judged", "yes"); }',
      },
    ],
  }))
  const few = await p.run({ body: body(',\r\n b@sender.example'.repeat(10)) })
  expect((await p.spool.body(few)).toString()).not.toContain('X-Judged')
  const many = await p.run({ body: body(',\r\n b@sender.example'.repeat(1000)) })
  expect((await p.spool.body(many)).toString()).toContain('X-Judged: yes')
})
