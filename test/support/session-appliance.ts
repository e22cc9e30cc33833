import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { system } from '../../src/config/sections/system.ts'
import type { Appliance } from '../../src/services/appliance.ts'
import type { Session } from '../../src/shell/command.ts'
import { REGISTRY } from '../../src/shell/registry.ts'
import { runShell } from '../../src/shell/shell.ts'
import type { Terminal } from '../../src/shell/terminal.ts'
import { testEnv } from './env.ts'
import { recordedMachine, startNameServer } from './machine.ts'
import { recordedNetwork } from './session-network.ts'
import { queueMail } from './queued-mail.ts'

export const ADMIN: Session['user'] = { name: 'admin', fullName: 'Administrator', role: 'administrator' }

export interface SessionAppliance {
  readonly appliance: Appliance
  run(terminal: Terminal): Promise<number>
  close(): Promise<void>
}

/** An appliance in this process, in a home of its own, as the recorded sessions expect it. */
export const sessionAppliance = async (settings: Readonly<Record<string, string>> = {}): Promise<SessionAppliance> => {
  const { buildAppliance } = await import('../../src/main/appliance.ts')
  const home = mkdtempSync(join(tmpdir(), 'lychgate-session-'))
  const env = testEnv(settings['time'] ?? '2022-03-29T23:43:48Z')
  const noName = async (): Promise<never> => {
    throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
  }
  const names = settings['dns'] === undefined ? null : await startNameServer()
  const running = await buildAppliance({
    home,
    env,
    resolver: { resolve: noName, reverse: noName },
    services: false,
    diagnostics: { ...recordedMachine, ...(names === null ? {} : { dnsPort: names.port }) },
    writer: 'inline',
    durable: false,
    seed: { hostname: settings['hostname'] ?? 'mail.example.com' },
  })
  const { appliance } = running
  const zone = settings['zone'] ?? 'Etc/GMT'
  if (appliance.config.running.get(system).timezone !== zone) {
    const draft = appliance.config.draft()
    draft.set(system, { ...draft.get(system), timezone: zone })
    await appliance.config.commit(draft, { user: 'admin', comment: '', keepForRollback: false })
  }
  await queueMail(appliance, Number(settings['queued'] ?? 0))
  const network = recordedNetwork(appliance.network, settings)
  return {
    appliance,
    run: (terminal) =>
      runShell({ appliance: { ...appliance, network }, terminal, user: ADMIN, pid: 274, registry: REGISTRY }),
    close: async () => {
      await running.stop(0)
      await names?.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
