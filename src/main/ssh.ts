import type { ConfigConsumer } from '../config/section.ts'
import { inBlocks } from '../config/address-block.ts'
import { adminAccess } from '../config/sections/admin-access.ts'
import { ssh } from '../config/sections/ssh.ts'
import type { SshSettings } from '../config/sections/ssh.ts'
import { errorText } from '../core/errors.ts'
import type { Issue } from '../core/errors.ts'
import type { Appliance, RunningSsh } from '../services/appliance.ts'
import type { Supervised } from '../services/supervisor.ts'
import type { SshServer } from '../transports/ssh.ts'
import type { HostKeys } from '../transports/ssh-keys.ts'
import type { Sessions } from './sessions.ts'

export interface SshService extends Supervised {
  readonly consumer: ConfigConsumer<SshSettings>
  running(): RunningSsh | null
}

/** The SSH server of an appliance: follows the section `ssh` without a restart of anything else. */
export const createSshService = (deps: {
  readonly keys: string
  readonly appliance: () => Appliance
  readonly sessions: () => Sessions
}): SshService => {
  let started = false
  let server: SshServer | null = null
  let keys: HostKeys | null = null
  /** Servers that listen no more and still have sessions. */
  const leaving = new Set<SshServer>()

  const open = async (settings: SshSettings): Promise<void> => {
    const { serveSsh } = await import('../transports/ssh.ts')
    const { hostKeys } = await import('../transports/ssh-keys.ts')
    const appliance = deps.appliance()
    const sessions = deps.sessions()
    keys = await hostKeys(deps.keys)
    const access = () => appliance.config.running.get(adminAccess)
    server = await serveSsh({
      settings,
      hostKeys: keys,
      ident: `Lychgate_${appliance.version}`,
      banner: () => access().banner,
      admits: (address) => access().addresses.length === 0 || inBlocks(access().addresses, address),
      accounts: appliance.accounts,
      clock: appliance.env.clock,
      vacantMs: () => access().timeoutMinutes * 60_000,
      history: (user) => sessions.historyOf(user.name),
      run: async (terminal, user) => await sessions.runAs(user, terminal, process.pid),
      left: (user, from) => appliance.events.publish({ type: 'access.logged-out', user: user.name, from }),
      fault: (error) => sessions.fault('ssh', error),
    })
    const { address, port } = server
    appliance.events.publish({ type: 'system.listening', listener: 'SSH', address, port })
  }

  const shut = (): void => {
    if (server === null) return
    server.stopListening()
    leaving.add(server)
    server = null
    deps.appliance().events.publish({ type: 'system.listener-closed', listener: 'SSH' })
  }

  const same = (a: SshSettings, b: SshSettings): boolean => JSON.stringify(a) === JSON.stringify(b)
  const moved = (next: SshSettings): boolean => server?.port !== next.port || server.address !== next.address

  return {
    name: 'ssh',
    start: async (config) => {
      started = true
      const settings = config.get(ssh)
      if (!settings.enabled) return
      try {
        await open(settings)
      } catch (error) {
        // A port that somebody else has must not keep the mail from running.
        const text = `The SSH server cannot listen on ${settings.address} port ${settings.port}: ${errorText(error)}. Change it with sshconfig.`
        deps.appliance().events.publish({ type: 'system.warning', text })
      }
    },
    stop: async () => {
      started = false
      const all = [...leaving, ...(server === null ? [] : [server])]
      server = null
      await Promise.all(all.map(async (one) => await one.close()))
    },
    running: () =>
      server === null ? null : { address: server.address, port: server.port, hostKeys: keys?.shown ?? [] },
    consumer: {
      section: ssh,
      prepare: async (next): Promise<readonly Issue[]> => {
        if (!started || !next.enabled || !moved(next)) return []
        try {
          const { probeSsh } = await import('../transports/ssh.ts')
          await probeSsh(next)
          return []
        } catch (error) {
          const message = `SSH cannot listen on ${next.address} port ${next.port}: ${errorText(error)}.`
          return [{ path: 'ssh.port', message, severity: 'error' }]
        }
      },
      apply: async (next, previous) => {
        if (!started || (same(next, previous) && next.enabled === (server !== null))) return
        // Sessions that are open go on; only who comes now meets the new settings.
        shut()
        if (next.enabled) await open(next)
      },
    },
  }
}
