import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inlineWriter } from '../../../src/adapters/sqlite/database.ts'
import { createWatchStore } from '../../../src/adapters/sqlite/watch.ts'
import { urlRetrospection } from '../../../src/config/sections/url-retrospection.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import { createRetro } from '../../../src/retro/service.ts'
import { testEnv } from '../../support/env.ts'
import { mortal } from '../../support/mortal.ts'
import { FakeRetroApi, TestConfig } from '../../support/retro.ts'

const live = new AbortController().signal
const URLS = ['http://a.example/', 'http://b.example/']

interface World {
  readonly api: FakeRetroApi
  /** What remediation was handed, by key: it takes a key once. */
  readonly handed: Map<string, readonly number[]>
  alerts: number
}

const life = async (file: string, steps: number, world: World): Promise<boolean> => {
  const env = testEnv()
  const config = new TestConfig()
  config.set(urlRetrospection, { enabled: true, pageSize: 1 })
  const writer = inlineWriter()
  const { wrap, died } = mortal(steps)
  const store = wrap(await createWatchStore(writer, file))
  const retro = createRetro({
    env,
    config,
    events: createEventBus(env.clock),
    alerts: { raise: () => void world.alerts++, recent: () => [] },
    store,
    api: wrap(world.api),
    remediation: wrap({
      enqueue: async ({ key, rootMids }: { readonly key: string; readonly rootMids: readonly number[] }) => {
        world.handed.set(key, rootMids)
        return rootMids.length
      },
      turn: async () => undefined,
      pending: () => 0,
      drain: async () => undefined,
      wake: () => undefined,
    }),
  })
  try {
    for (const rootMid of [1, 2, 3])
      await retro.watch(URLS.map((url) => ({ rootMid, messageId: `<${rootMid}@x>`, url, direction: 'incoming' })))
    await retro.poll(live)
    // Each submitted pair turns malicious once, whatever was submitted twice.
    const pairs = new Map(world.api.submissions.map((s) => [`${s.emailId} ${s.url}`, s]))
    world.api.retros = [...pairs.values()].map((s, i) => ({ ...s, at: `2022-03-30T00:19:0${i}Z` }))
    await retro.poll(live)
  } catch (error) {
    if (!died()) throw error
  }
  await writer.close()
  return died()
}

describe('retrospection that is killed', () => {
  it('after any number of steps loses nothing and hands nothing over twice', async () => {
    for (let steps = 1; ; steps++) {
      const folder = mkdtempSync(join(tmpdir(), 'retro-crash-'))
      try {
        const world: World = { api: new FakeRetroApi(), handed: new Map(), alerts: 0 }
        const killed = await life(join(folder, 'retro.db'), steps, world)
        await life(join(folder, 'retro.db'), 1e9, world)
        expect([...world.handed.values()].flat().sort()).toEqual([1, 1, 2, 2, 3, 3])
        expect(world.alerts).toBeGreaterThanOrEqual(1)
        if (!killed) {
          expect(steps).toBeGreaterThan(15)
          expect(world.alerts).toBe(1)
          return
        }
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  })
})
