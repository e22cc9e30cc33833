import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import { shortHash } from '../../../../src/intel/url/hash.ts'
import { probeOf } from '../../../../src/intel/url/watch-keys.ts'
import type { IntelStore, NewOpinion } from '../../../../src/store/repositories/intel.ts'

const AT = new Date('2022-03-29T05:59:59Z')
let home: string
let writers: SqliteWriter[]

/** One process more over the same file. */
const open = async (): Promise<IntelStore> => {
  const writer = inlineWriter({ durable: false })
  writers.push(writer)
  return await createIntelStore(writer, join(home, 'intel.db'))
}
const row = (key: string): NewOpinion => ({
  kind: 'domain',
  key,
  hash: shortHash(key),
  probe: probeOf(key),
  level: 'awful',
  category: null,
  ageDays: null,
  reason: 'listed',
})

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-opinions-'))
  writers = []
})
afterEach(async () => {
  for (const writer of writers) await writer.close()
  rmSync(home, { recursive: true, force: true })
})

describe('two processes that replace what one source says', () => {
  it('leave the last good set when they come between each other, and the next one gets through', async () => {
    const [one, two] = [await open(), await open()]
    const good = await one.opinions.replace('feed', AT)
    await good.add([row('a.example'), row('b.example')])
    expect(await good.finish('first', null)).toBe(2)

    const mine = await one.opinions.replace('feed', AT)
    await mine.add([row('a.example'), row('b.example'), row('c.example')])
    const theirs = await two.opinions.replace('feed', AT)
    await theirs.add([row('a.example')])
    await expect(mine.finish('mine', null)).rejects.toThrow("Another process reads the source 'feed'")
    await expect(theirs.finish('theirs', null)).rejects.toThrow('the last good set is kept')
    expect(one.opinions.ofSource('feed', 10).map((o) => o.key)).toEqual(['a.example', 'b.example'])
    expect(one.opinions.sourceState('feed').fingerprint).toBe('first')

    const next = await two.opinions.replace('feed', AT)
    await next.add([row('c.example')])
    expect(await next.finish('next', null)).toBe(1)
    expect(one.opinions.ofSource('feed', 10).map((o) => o.key)).toEqual(['c.example'])
  })
})
