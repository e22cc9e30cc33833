import { join } from 'node:path'
import { historyFile } from '../adapters/files/history.ts'
import { adminAccess } from '../config/sections/admin-access.ts'
import { system } from '../config/sections/system.ts'
import { BUILT_IN, builtInUser, users } from '../config/sections/users.ts'
import type { User, Users } from '../config/sections/users.ts'
import { uuid } from '../core/entropy.ts'
import { errorText } from '../core/errors.ts'
import { printable } from '../core/text.ts'
import type { Appliance } from '../services/appliance.ts'
import { createHistory } from '../shell/history.ts'
import type { CommandHistory } from '../shell/history.ts'
import { REGISTRY } from '../shell/registry.ts'
import { runShell } from '../shell/shell.ts'
import type { Terminal } from '../shell/terminal.ts'
import { serveSocket } from '../transports/socket-server.ts'
import type { SocketServer } from '../transports/socket-server.ts'
import { userSockets } from './user-sockets.ts'

/** Shell sessions of one appliance, on whatever terminal they come. */
export interface Sessions {
  /** As `admin`: whoever may open the control socket owns the home directory. */
  run(terminal: Terminal, pid: number): Promise<number>
  runAs(user: User, terminal: Terminal, pid: number): Promise<number>
  readonly history: CommandHistory
  historyOf(user: string): CommandHistory
  /** Something that no operator typed failed outside a command. */
  fault(where: string, error: unknown): void
  /** Opens the control socket and those of the system's users. */
  listen(): Promise<SocketServer>
}

export const socketPath = (home: string): string => join(home, 'control.sock')
export const lockPath = (home: string): string => join(home, 'lychgate.lock')

/** Shell sessions open no more histories than there are accounts; names come from the configuration only. */
export const createSessions = (appliance: Appliance): Sessions => {
  const histories = new Map<string, CommandHistory>()
  const present = new Set<{ readonly user: User; readonly terminal: Terminal }>()
  appliance.config.consume<Users>({
    section: users,
    // Rights that were taken away must not live on in a session that is open.
    apply: async () => {
      for (const { user, terminal } of present) {
        if (appliance.accounts.find(user.name)?.role === user.role || terminal.presence === undefined) continue
        terminal.write(`\nThis session has ended: the account ${user.name} has changed.\n`)
        terminal.presence.hangUp()
      }
    },
  })
  const historyOf = (user: string): CommandHistory => {
    const known = histories.get(user) ?? createHistory(historyFile(join(appliance.home, 'history', user)))
    histories.set(user, known)
    return known
  }
  const runAs = (user: User, terminal: Terminal, pid: number): Promise<number> => {
    const { name, fullName, role } = user
    const here = { user, terminal }
    present.add(here)
    const lines = banner(appliance, user, terminal)
    return runShell({
      appliance,
      terminal,
      user: { name, fullName, role },
      pid,
      registry: REGISTRY,
      banner: lines,
    }).finally(() => present.delete(here))
  }
  const run = (terminal: Terminal, pid: number): Promise<number> =>
    runAs(appliance.accounts.find(BUILT_IN) ?? builtInUser, terminal, pid)
  const fault = (where: string, error: unknown): void => {
    const reference = uuid(appliance.env.entropy).slice(0, 8)
    appliance.events.publish({ type: 'system.fault', code: 'INTERNAL', where, error: errorText(error), reference })
  }
  const now = (): number => appliance.env.clock.monotonic()
  return {
    run,
    runAs,
    history: historyOf(BUILT_IN),
    historyOf,
    fault,
    listen: async () => {
      const own = await serveSocket({
        path: socketPath(appliance.home),
        session: run,
        history: () => historyOf(BUILT_IN),
        fault: (error) => fault('socket', error),
        now,
      })
      const others = await userSockets({ appliance, runAs, historyOf, fault, now })
      return {
        close: async () => {
          await Promise.all([own.close(), others.close()])
        },
      }
    },
  }
}

const banner = (appliance: Appliance, user: User, terminal: Terminal): readonly string[] => {
  const { running } = appliance.config
  const { welcome, timeoutMinutes } = running.get(adminAccess)
  const remote = terminal.origin !== 'local'
  const before = appliance.logins
    .recent(500)
    .find((r) => r.user === user.name && r.state !== 'refused' && r.end !== null)
  return [
    ...(remote && before ? [`Last login: ${appliance.time.stamp(before.at)} from ${before.from}`] : []),
    `Lychgate ${appliance.version} on ${running.get(system).hostname}`,
    'Welcome to the Lychgate Email Security Gateway.',
    'Type help for the list of commands.',
    ...(welcome === null ? [] : welcome.trimEnd().split(/\r?\n/).map(printable)),
    ...(remote
      ? [`A session without input for ${timeoutMinutes} minutes ends, and changes that are not committed are lost.`]
      : []),
  ]
}
