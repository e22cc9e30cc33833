import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { system } from '../../src/config/sections/system.ts'
import type { ConfigSection } from '../../src/config/section.ts'
import { localTime } from '../../src/core/localtime.ts'
import type { Role } from '../../src/shell/command.ts'
import { REGISTRY } from '../../src/shell/registry.ts'
import { runShell } from '../../src/shell/shell.ts'
import { createLogins } from '../../src/services/logins.ts'
import type { Appliance } from '../../src/services/appliance.ts'
import { openTestConfig, removeTestConfig, testZones } from './config-store.ts'
import type { TestConfig } from './config-store.ts'
import { scriptTerminal } from './session-terminal.ts'
import type { ScriptOptions, ScriptTerminal } from './session-terminal.ts'

/** The real shell and registry over a real configuration store; nothing else of the appliance exists. */
export interface ConfigShell {
  readonly config: TestConfig
  readonly home: string
  run(
    answers: ScriptOptions['answers'],
    options?: { readonly user?: string; readonly role?: Role; readonly batch?: ScriptOptions['batch'] },
  ): Promise<{ readonly text: string; readonly status: number; readonly terminal: ScriptTerminal }>
  running<T>(section: ConfigSection<T>): T
  close(): Promise<void>
}

export const openConfigShell = async (): Promise<ConfigShell> => {
  const home = mkdtempSync(join(tmpdir(), 'lychgate-shell-'))
  const config = await openTestConfig({
    seed: (set) => set(system, { hostname: 'mail.example.com', timezone: 'Etc/GMT' }),
  })
  const appliance = {
    home,
    version: '0.1.0',
    serial: '423AA9781B6766AC0000-25CC6C241234',
    env: { clock: config.clock, entropy: { bytes: (n: number) => new Uint8Array(n), int: () => 0 } },
    events: { publish: () => undefined, subscribe: () => () => undefined },
    config: config.store,
    logins: createLogins({ clock: config.clock, store: { load: () => [], save: () => undefined } }),
    time: localTime(testZones, () => config.store.running.get(system).timezone),
  } as unknown as Appliance
  return {
    config,
    home,
    run: async (answers, { user = 'admin', role = 'administrator', batch } = {}) => {
      const terminal = scriptTerminal({ answers, ...(batch === undefined ? {} : { batch }) })
      const person = { name: user, fullName: user, role }
      const status = await runShell({ appliance, terminal, user: person, pid: 1, registry: REGISTRY })
      return { text: terminal.transcript(), status, terminal }
    },
    running: (section) => config.store.running.get(section),
    close: async () => {
      await config.close()
      removeTestConfig(config.path)
      rmSync(home, { recursive: true, force: true })
    },
  }
}
