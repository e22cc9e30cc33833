import { expect, it } from 'vitest'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { createLogins } from '../../../src/services/logins.ts'
import type { Appliance } from '../../../src/services/appliance.ts'
import { runShell } from '../../../src/shell/shell.ts'
import { createHistory } from '../../../src/shell/history.ts'
import { createTty } from '../../../src/transports/tty.ts'
import { system } from '../../../src/config/sections/system.ts'
import { defineCommand } from '../../../src/shell/command.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { entryOf, memoryDraft } from '../../support/shell-harness.ts'

const MINUTE = 60_000

const stage = defineCommand({
  name: 'stage',
  summary: '',
  description: '',
  category: 'configure',
  roles: ['administrator'],
  needsCommit: true,
  run: async ({ draft }) => draft.set(system, { hostname: 'other.example.com', timezone: 'Etc/GMT' }),
})

it('ends a session without input, says what is lost, and runs nothing that was half typed', async () => {
  const clock = new FakeClock()
  const bus = createEventBus(clock)
  const events: ApplianceEvent[] = []
  bus.subscribe((_, event) => events.push(event))
  const logins = createLogins({ clock, store: { load: () => [], save: () => undefined } })
  const appliance = {
    env: { clock },
    events: bus,
    logins,
    config: { running: memoryDraft(), draft: memoryDraft },
  } as unknown as Appliance
  let shown = ''
  const tty = createTty({
    write: (data) => void (shown += typeof data === 'string' ? data : ''),
    size: () => ({ columns: 80, rows: 24 }),
    colour: false,
    origin: '192.0.2.1',
    history: createHistory({ load: () => [], save: () => undefined }),
    resume: () => undefined,
    now: () => clock.monotonic(),
  })
  let status: number | null = null
  const user = { name: 'anna', fullName: 'Anna', role: 'administrator' } as const
  void runShell({ appliance, terminal: tty.terminal, user, pid: 1, registry: [entryOf(stage)] }).then((s) => {
    status = s
  })
  const type = async (text: string): Promise<void> => {
    tty.feed(Buffer.from(text))
    for (let i = 0; i < 5; i++) await settle()
  }
  // The line editor is imported when it is first needed: how many turns that takes is the machine's affair.
  const until = async (there: () => boolean): Promise<void> => {
    for (let i = 0; i < 5000 && !there(); i++) await settle()
  }
  await type('stage\r')
  await until(() => shown.split('> ').length >= 3)
  await clock.advance(29 * MINUTE)
  await type('stage')
  await clock.advance(29 * MINUTE)
  expect(status).toBeNull()
  expect(logins.present()[0]?.idleMs).toBe(29 * MINUTE)
  shown = ''
  await clock.advance(MINUTE)
  await until(() => status !== null)
  expect(shown).toContain('This session has ended: there was no input for 30 minutes.')
  expect(shown).toContain('Changes that were not committed are lost: system.')
  expect(shown).not.toContain('Are you sure')
  expect(status).toBe(0)
  expect(logins.recent(1)).toMatchObject([{ user: 'anna', from: '192.0.2.1', state: 'timed out' }])
  expect(events.map((e) => e.type)).toEqual(expect.arrayContaining(['cli.login', 'access.timed-out', 'cli.logout']))
  expect(clock.waiting).toBe(0)
})
