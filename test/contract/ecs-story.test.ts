import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { system } from '../../src/config/sections/system.ts'
import { urlRetrospection } from '../../src/config/sections/url-retrospection.ts'
import type { Clock } from '../../src/core/clock.ts'
import { runShell } from '../../src/shell/shell.ts'
import { REGISTRY } from '../../src/shell/registry.ts'
import { ecsWorld } from '../support/ecs-world.ts'
import type { EcsWorld } from '../support/ecs-world.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { root } from '../support/root.ts'
import { ADMIN } from '../support/session-appliance.ts'
import { difference, parseSessionFile, replayTerminal } from '../support/session-file.ts'

const live = new AbortController().signal
const SECOND = 1000
const EMAIL_IDS = [
  'd5feb7d4-fe00-4568-9bb7-769a5bc7886e',
  'c5fb612c-e1b1-42aa-aaa2-643009c803a1',
  '2ed41b55-bdec-49fd-abfa-45a876fc10d6',
]
const TWICE = 'http://phish.cua.com/test_url_2022032402rks'
const NEW = 'http://phish.cua.com/test_url_2022032901_rks'
const MESSAGE_ID = '<20220330001930.077554@ip-172-31-43-120.us-east-2.compute.internal>'

/** The reference's lines, in the words that its README settles, with our host, serial number and payload. */
const reference = (name: string, world: EcsWorld): string =>
  readFileSync(join(root, `fixtures/logs/${name}.log`), 'utf8')
    .replaceAll(/https:\/\/[a-z]+-(retro-api|register-api)\.uce\.cmd\.cisco\.com/g, world.serviceUri)
    .replaceAll(/42[03][0-9A-Z]{17}-[0-9A-F]{12}/g, world.running.appliance.serial)
    .replace("'model': 'C300V', 'version': '14.2.0-468', 'type': 'esa-ces'", () => {
      const { version } = world.running.appliance
      return `'model': 'Lychgate', 'version': '${version}', 'type': 'gateway'`
    })

/** The UUIDs are drawn by chance: in the order in which they come they are the reference's. */
const withReferenceIds = (log: string): string => {
  const seen: string[] = []
  return log.replaceAll(/(?<='email_id': ')[0-9a-f-]{36}/g, (id) => {
    if (!seen.includes(id)) seen.push(id)
    return EMAIL_IDS[seen.indexOf(id)] ?? id
  })
}

const watch = (world: EcsWorld, rootMid: number, messageId: string, url: string): Promise<void> =>
  world.running.appliance.retro.watch([{ rootMid, messageId, url, direction: 'incoming' }])

/** Types the recording into the appliance's shell and compares. */
const replay = async (world: EcsWorld, name: string): Promise<string | null> => {
  const { lines } = parseSessionFile(readFileSync(join(root, `fixtures/stories/${name}.session`), 'utf8'))
  const terminal = replayTerminal(lines)
  const { appliance } = world.running
  await runShell({ appliance, terminal, user: ADMIN, pid: 274, registry: REGISTRY }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${terminal.transcript()}`)
  })
  return difference(lines, terminal.transcript())
}

describe('the ecs log of the reference, from real HTTPS traffic', () => {
  let world: EcsWorld
  afterEach(() => world.close())

  it('2022: an expired token, and three retrospections of which one is new', async () => {
    const clock = new FakeClock('2022-03-30T00:16:23Z')
    // The service's clock is a second ahead, as the times in the reference show.
    const serviceClock: Clock = {
      now: () => new Date(clock.now().getTime() + SECOND),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    }
    const until = (at: string): Promise<void> => clock.advance(Date.parse(at) - clock.now().getTime())
    /** What an exchange takes, once the story has begun. */
    let slow = false
    const passes = async (seconds: number): Promise<void> => {
      if (slow) await clock.advance(seconds * SECOND)
    }
    world = await ecsWorld({
      clock,
      serviceClock,
      tokenMs: 240_000,
      wrap: (service) => ({
        devices: {
          authenticate: (token) => {
            const who = service.devices.authenticate(token)
            // Three seconds until the refusal, one until the answer.
            void passes(who === 'expired' ? 3 : 1)
            return who
          },
          issue: async (...of) => {
            await passes(6)
            return await service.devices.issue(...of)
          },
        },
      }),
    })
    const { retro } = world.running.appliance
    await world.commit((set) => {
      set(system, { timezone: 'America/New_York' })
      set(urlRetrospection, { enabled: true, pageSize: 20, pollSeconds: 86_400 })
    })
    await retro.poll(live)
    await until('2022-03-30T00:17:00Z')
    await watch(world, 1, '<1@x.example>', TWICE)
    await retro.poll(live)
    await until('2022-03-30T00:17:12Z')
    await world.service.verdicts.set(TWICE, 'malicious', { user: 'admin' })
    await until('2022-03-30T00:19:23Z')
    // Submitted when it is malicious already: it turned between the look-up and the submission.
    await watch(world, 2, '<2@x.example>', TWICE)
    expect(await retro.poll(live)).toEqual({ retrospections: 2, acted: 0, error: null })
    await until('2022-03-30T00:20:10Z')
    await watch(world, 63280, MESSAGE_ID, NEW)
    await retro.poll(live)
    await until('2022-03-30T00:20:24Z')
    await world.service.verdicts.set(NEW, 'malicious', { user: 'admin' })
    slow = true
    await world.log('ecs', 'Tue Mar 29 20:20:10 2022 Debug: ECS: Finish polling')
    const before = world.logged('ecs')
    expect(await retro.poll(live)).toEqual({ retrospections: 1, acted: 0, error: null })
    const end = 'Tue Mar 29 20:20:34 2022 Info: ECS: No data pending for remediation.'
    const told = withReferenceIds(await world.log('ecs', end, before))
    expect(told).toBe(reference('ecs-retrospection', world))
    expect(await replay(world, 'ecs-token-expired')).toBeNull()
  })

  it('2023: the service starts, and finds none', async () => {
    const clock = new FakeClock('2023-06-26T13:06:20Z')
    let slow = false
    world = await ecsWorld({
      clock,
      wrap: (service) => ({
        devices: {
          authenticate: (token) => {
            if (slow) void clock.advance(SECOND)
            return service.devices.authenticate(token)
          },
        },
      }),
    })
    // The reference is that of a gateway which is registered: switched off and on again.
    await world.commit((set) => set(urlRetrospection, { enabled: true }))
    await world.running.appliance.retro.poll(live)
    await world.commit((set) => set(urlRetrospection, { enabled: false }))
    // Opened with its first line, a moment of the machine later: its beginning belongs to the time before.
    await vi.waitUntil(() => world.logged('ecs') > 0)
    await clock.advance(8 * SECOND)
    slow = true
    await world.log('ecs', 'Stopped URL retrospective polling')
    const before = world.logged('ecs')
    await world.commit((set) => set(urlRetrospection, { enabled: true }))
    expect(await world.log('ecs', 'Mon Jun 26 13:06:29 2023 Debug: ECS: Finish polling', before)).toBe(
      reference('ecs-start', world),
    )
    expect(await replay(world, 'ecs-none-found')).toBeNull()
  })
})
