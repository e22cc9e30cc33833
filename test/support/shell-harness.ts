import { systemEntropy } from '../../src/core/entropy.ts'
import { localTime } from '../../src/core/localtime.ts'
import { system } from '../../src/config/sections/system.ts'
import type { Change, ConfigDraft, ConfigReader, ConfigSection } from '../../src/config/section.ts'
import { createEventBus } from '../../src/events/bus.ts'
import type { ApplianceEvent } from '../../src/events/event.ts'
import { createLogins } from '../../src/services/logins.ts'
import type { Appliance } from '../../src/services/appliance.ts'
import type { CommandEntry, Role } from '../../src/shell/command.ts'
import { runShell } from '../../src/shell/shell.ts'
import { FakeClock } from './fake-clock.ts'
import { scriptTerminal } from './session-terminal.ts'
import type { ScriptOptions, ScriptTerminal } from './session-terminal.ts'

/** A draft over section defaults, for shell parts that only read and stage. */
export const memoryDraft = (): ConfigDraft => {
  const staged = new Map<string, unknown>([[system.name, { hostname: 'mail.example.com', timezone: 'Etc/GMT' }]])
  const changes: Change[] = []
  return {
    get: <T>(section: ConfigSection<T>) => (staged.get(section.name) ?? section.defaults) as T,
    set: (section, value) => {
      changes.push({ path: section.name, before: staged.get(section.name), after: value })
      staged.set(section.name, value)
    },
    changes: () => changes,
    get dirty() {
      return changes.length > 0
    },
    clear: () => {
      changes.length = 0
    },
  }
}

export interface Harness {
  readonly terminal: ScriptTerminal
  readonly events: readonly ApplianceEvent[]
  readonly status: number
  readonly draft: ConfigDraft
}

/** Runs `commands` in the real shell over a script terminal and an appliance of which only what `parts` gives exists. */
export const runInShell = async (
  options: ScriptOptions & {
    readonly commands: readonly CommandEntry[]
    readonly parts?: Partial<Appliance>
    readonly role?: Role
    readonly banner?: readonly string[]
  },
): Promise<Harness> => {
  const clock = new FakeClock('2022-03-29T23:43:48Z')
  const bus = createEventBus(clock)
  const events: ApplianceEvent[] = []
  bus.subscribe((_, event) => events.push(event))
  const draft = memoryDraft()
  const running: ConfigReader = memoryDraft()
  const appliance = {
    env: { clock, entropy: systemEntropy },
    events: bus,
    time: localTime({ at: () => null, list: () => [] }, () => 'Etc/GMT'),
    config: { running, draft: () => draft },
    logins: createLogins({ clock, store: { load: () => [], save: () => undefined } }),
    ...options.parts,
  } as unknown as Appliance
  const terminal = scriptTerminal(options)
  const status = await runShell({
    appliance,
    terminal,
    user: { name: 'admin', fullName: 'Administrator', role: options.role ?? 'administrator' },
    pid: 274,
    registry: options.commands,
    ...(options.banner === undefined ? {} : { banner: options.banner }),
  })
  return { terminal, events, status, draft }
}

export const entryOf = (
  command: { readonly name: string } & Awaited<ReturnType<CommandEntry['load']>>,
): CommandEntry => ({
  name: command.name,
  summary: command.summary,
  roles: command.roles,
  load: async () => command,
})
