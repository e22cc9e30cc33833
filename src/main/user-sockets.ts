import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { users } from '../config/sections/users.ts'
import type { User, Users } from '../config/sections/users.ts'
import { errorText } from '../core/errors.ts'
import type { Appliance } from '../services/appliance.ts'
import type { Terminal } from '../shell/terminal.ts'
import { serveSocket } from '../transports/socket-server.ts'
import type { SocketServer } from '../transports/socket-server.ts'
import type { Sessions } from './sessions.ts'

const LOOK_UP_MS = 5000

/** The number of a user of the operating system (also of a directory service, hence not /etc/passwd); null = there is none. */
const uidOf = async (name: string): Promise<number | null> => {
  try {
    const { stdout } = await promisify(execFile)('id', ['-u', '--', name], { timeout: LOOK_UP_MS })
    const uid = Number(stdout.trim())
    return Number.isInteger(uid) ? uid : null
  } catch {
    return null
  }
}

/**
 * `<home>/sockets/<system user>`, owned by that user and mode 0600: who can open it is who they are, whatever their client
 * says. For a login shell or ForceCommand (docs/operations/ssh.md).
 */
export const userSockets = async (
  deps: Pick<Sessions, 'runAs' | 'historyOf' | 'fault'> & {
    readonly appliance: Appliance
    readonly now: () => number
  },
): Promise<SocketServer> => {
  const { appliance } = deps
  const directory = join(appliance.home, 'sockets')
  const open = new Map<string, SocketServer>()
  let ended = false

  const session =
    (systemUser: string) =>
    async (terminal: Terminal, pid: number): Promise<number> => {
      // Asked anew at each session: the account may be locked or gone since.
      const user = appliance.accounts.ofSystemUser(systemUser)
      if (user !== undefined) return await deps.runAs(user, terminal, pid)
      terminal.write('This account may not log in.\n')
      return 1
    }

  const openOne = async (systemUser: string, account: User): Promise<void> => {
    const uid = await uidOf(systemUser)
    if (uid === null) throw new Error('there is no such user on this machine')
    const path = join(directory, systemUser)
    const server = await serveSocket({
      path,
      session: session(systemUser),
      history: () => deps.historyOf(account.name),
      fault: (error) => deps.fault(`socket of ${systemUser}`, error),
      now: deps.now,
    })
    try {
      if (uid !== process.getuid?.()) chownSync(path, uid, -1)
    } catch (error) {
      await server.close()
      throw error
    }
    open.set(systemUser, server)
  }

  const apply = async (accounts: readonly User[]): Promise<void> => {
    const wanted = new Map(accounts.flatMap((a) => (a.systemUser === null ? [] : [[a.systemUser, a] as const])))
    for (const [name, server] of [...open])
      if (!wanted.has(name)) {
        open.delete(name)
        await server.close()
        rmSync(join(directory, name), { force: true })
      }
    if (wanted.size === 0) return
    // Others may pass through to a socket of their own, and list nothing.
    mkdirSync(directory, { recursive: true, mode: 0o711 })
    chmodSync(directory, 0o711)
    chmodSync(appliance.home, 0o711)
    for (const [name, account] of wanted) {
      if (open.has(name)) continue
      try {
        await openOne(name, account)
      } catch (error) {
        const text = `The socket of the system user ${name} cannot be opened: ${errorText(error)}.`
        appliance.events.publish({ type: 'system.warning', text })
      }
    }
  }

  await apply(appliance.config.running.get(users).accounts)
  appliance.config.consume<Users>({
    section: users,
    apply: async (next) => {
      if (!ended) await apply(next.accounts)
    },
  })
  return {
    close: async () => {
      ended = true
      await Promise.all([...open.values()].map(async (server) => await server.close()))
    },
  }
}
