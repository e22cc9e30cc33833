import { join } from 'node:path'
import { historyFile } from '../adapters/files/history.ts'
import { system } from '../config/sections/system.ts'
import { uuid } from '../core/entropy.ts'
import { errorText } from '../core/errors.ts'
import type { Appliance } from '../services/appliance.ts'
import type { Session } from '../shell/command.ts'
import { createHistory } from '../shell/history.ts'
import type { CommandHistory } from '../shell/history.ts'
import { REGISTRY } from '../shell/registry.ts'
import { runShell } from '../shell/shell.ts'
import type { Terminal } from '../shell/terminal.ts'
import { serveSocket } from '../transports/socket-server.ts'
import type { SocketServer } from '../transports/socket-server.ts'

/** Until there are user accounts, whoever may open the control socket is the administrator. */
const LOCAL_USER: Session['user'] = { name: 'admin', fullName: 'Administrator', role: 'administrator' }

/** Shell sessions of one appliance, on whatever terminal they come. */
export interface Sessions {
  run(terminal: Terminal, pid: number): Promise<number>
  readonly history: CommandHistory
  /** Opens the control socket. */
  listen(): Promise<SocketServer>
}

export const socketPath = (home: string): string => join(home, 'control.sock')
export const lockPath = (home: string): string => join(home, 'lychgate.lock')

export const createSessions = (appliance: Appliance): Sessions => {
  const history = createHistory(historyFile(join(appliance.home, 'history', LOCAL_USER.name)))
  const run = (terminal: Terminal, pid: number): Promise<number> =>
    runShell({ appliance, terminal, user: LOCAL_USER, pid, registry: REGISTRY, banner: banner(appliance) })
  return {
    run,
    history,
    listen: () =>
      serveSocket({
        path: socketPath(appliance.home),
        session: run,
        history: () => history,
        fault: (error) => {
          const reference = uuid(appliance.env.entropy).slice(0, 8)
          const code = 'INTERNAL'
          appliance.events.publish({ type: 'system.fault', code, where: 'socket', error: errorText(error), reference })
        },
      }),
  }
}

const banner = (appliance: Appliance): readonly string[] => [
  `Lychgate ${appliance.version} on ${appliance.config.running.get(system).hostname}`,
  'Welcome to the Lychgate Email Security Gateway. Type help for the list of commands.',
]
