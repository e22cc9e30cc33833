import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecretBox } from '../../src/adapters/crypto/secrets.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { REVISION_MIGRATIONS, createRevisionStore } from '../../src/adapters/sqlite/revisions.ts'
import type { RevisionStore } from '../../src/config/revisions.ts'
import { createConfigStore } from '../../src/config/revisioned-store.ts'
import type { ConfigStoreDeps, OpenedConfig } from '../../src/config/revisioned-store.ts'
import type { SecretBox } from '../../src/config/secrets.ts'
import type { TimeZones } from '../../src/core/timezone.ts'
import { createEventBus } from '../../src/events/bus.ts'
import type { ApplianceEvent } from '../../src/events/event.ts'
import type { FakeClock } from './fake-clock.ts'
import { testEnv } from './env.ts'

export interface TestConfig extends OpenedConfig {
  readonly clock: FakeClock
  readonly events: ApplianceEvent[]
  readonly revisions: RevisionStore
  readonly path: string
  readonly secrets: SecretBox
  close(): Promise<void>
}

/** Two zones: GMT, and America/New_York as it was in March 2022, which is what the reference documents need. */
export const testZones: TimeZones = {
  at: (zone) => {
    if (zone === 'Etc/GMT') return { offsetSeconds: 0, abbreviation: 'GMT' }
    return zone === 'America/New_York' ? { offsetSeconds: -14_400, abbreviation: 'EDT' } : null
  },
  list: () => ['America/New_York', 'Etc/GMT'],
}

export const testSecrets = (key = 1): SecretBox => createSecretBox(new Uint8Array(32).fill(key), testEnv().entropy)

export const freshPath = (): string => join(mkdtempSync(join(tmpdir(), 'lychgate-config-')), 'config.db')

/** A real store over a database of its own; `path` opens an older one again. */
export const openTestConfig = async (
  overrides: Partial<ConfigStoreDeps> & {
    readonly path?: string
    readonly wrap?: (store: RevisionStore) => RevisionStore
  } = {},
): Promise<TestConfig> => {
  const { path = freshPath(), wrap = (s: RevisionStore) => s, ...deps } = overrides
  const env = testEnv('2022-03-29T23:43:48Z')
  const writer = inlineWriter()
  const revisions = wrap(createRevisionStore(await writer.open(path, REVISION_MIGRATIONS)))
  const bus = createEventBus(env.clock)
  const events: ApplianceEvent[] = []
  bus.subscribe((_, event) => events.push(event))
  const secrets = deps.secrets ?? testSecrets()
  const opened = await createConfigStore({
    ...{ revisions, secrets, env, zones: testZones, events: bus, pid: 274 },
    ...deps,
  }).catch(async (error: unknown) => {
    await writer.close()
    if (overrides.path === undefined) removeTestConfig(path)
    throw error
  })
  return { ...opened, clock: env.clock, events, revisions, path, secrets, close: async () => await writer.close() }
}

export const removeTestConfig = (path: string): void => rmSync(join(path, '..'), { recursive: true, force: true })
