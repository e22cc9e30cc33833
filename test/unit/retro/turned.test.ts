import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { urlRetrospection } from '../../../src/config/sections/url-retrospection.ts'
import { retroRig } from '../../support/retro.ts'
import type { RetroRig } from '../../support/retro.ts'

const live = new AbortController().signal
const BAD = 'http://bad.example/x'
const WITHDRAWN = 1

describe('a retrospection that is withdrawn', () => {
  let rig: RetroRig
  let emailId: string
  const answers = async (entry: number, at: string): Promise<void> => {
    rig.api.retros = [{ emailId, url: BAD, at, entry }]
    await rig.retro.poll(live)
  }
  beforeEach(async () => {
    rig = await retroRig('2022-03-30T00:20:10Z')
    await rig.retro.watch([{ rootMid: 1, messageId: '<1@x>', url: BAD, direction: 'incoming' }])
    await rig.retro.poll(live)
    emailId = rig.api.submissions[0]?.emailId ?? ''
  })
  afterEach(() => rig.end())

  it('is handed on once, and so is its coming back; the poll of an hour ago brings nothing new', async () => {
    await answers(3, '2022-03-30T00:20:01Z')
    await answers(WITHDRAWN, '2022-03-30T00:20:02Z')
    await answers(WITHDRAWN, '2022-03-30T00:20:02Z')
    await rig.restart()
    await answers(3, '2022-03-30T00:20:03Z')
    await answers(3, '2022-03-30T00:20:03Z')
    expect(rig.turned).toEqual([
      [BAD, true],
      [BAD, false],
    ])
    expect(rig.handed).toHaveLength(1)
  })

  it('counts for nothing when it is older than the verdict, or of a retrospection that was never acted on', async () => {
    await answers(WITHDRAWN, '2022-03-30T00:20:02Z')
    await answers(3, '2022-03-30T00:20:05Z')
    await answers(WITHDRAWN, '2022-03-30T00:20:04Z')
    expect(rig.turned).toEqual([])
  })

  it('600 that go back at once are told whole, and marked in one transaction', async () => {
    rig.config.set(urlRetrospection, { pageSize: 1000 })
    const urls = Array.from({ length: 600 }, (_, n) => `http://bad.example/${n}`)
    await rig.retro.watch(urls.map((url) => ({ rootMid: 2, messageId: '<2@x>', url, direction: 'incoming' })))
    await rig.retro.poll(live)
    const second = rig.api.submissions.at(-1)?.emailId ?? ''
    const all = (entry: number, at: string) => urls.map((url) => ({ emailId: second, url, at, entry }))
    rig.api.retros = all(3, '2022-03-30T00:20:01Z')
    await rig.retro.poll(live)
    let marked = 0
    const turnsHandled = rig.store.turnsHandled.bind(rig.store)
    Object.assign(rig.store, {
      turnsHandled: async (...args: Parameters<typeof turnsHandled>) => {
        marked++
        await turnsHandled(...args)
      },
    })
    rig.api.retros = all(WITHDRAWN, '2022-03-30T00:20:02Z')
    await rig.retro.poll(live)
    expect(marked).toBe(1)
    expect(rig.turned).toHaveLength(600)
    expect(rig.events.flatMap((e) => (e.type === 'ecs.turned' ? [e.items.length] : []))).toEqual([500, 100])
    expect(rig.store.turns(1)).toEqual([])
  })
})
