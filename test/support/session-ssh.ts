import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'ssh2'
import type { ClientChannel } from 'ssh2'
import { ssh } from '../../src/config/sections/ssh.ts'
import { builtInUser } from '../../src/config/sections/users.ts'
import type { Accounts } from '../../src/services/accounts.ts'
import type { Terminal } from '../../src/shell/terminal.ts'
import { hostKeys } from '../../src/transports/ssh-keys.ts'
import { serveSsh } from '../../src/transports/ssh.ts'
import { FakeClock } from './fake-clock.ts'
import { withoutEnd } from './session-socket.ts'

export interface SshReplay {
  /** What a pty over SSH shows when the lines are typed at once. */
  show(gateway: { run(terminal: Terminal): Promise<number> }, typed: readonly string[]): Promise<string>
  close(): Promise<void>
}

/** One SSH server and one client; each session is a channel of its own. */
export const sshReplay = async (): Promise<SshReplay> => {
  const folder = mkdtempSync(join(tmpdir(), 'lg-ssh-'))
  const faults: unknown[] = []
  let run: (terminal: Terminal) => Promise<number> = async () => 0
  const server = await serveSsh({
    settings: { ...ssh.defaults, port: 0 },
    hostKeys: await hostKeys(folder),
    ident: 'Lychgate_test',
    banner: () => null,
    admits: () => true,
    accounts: {
      login: async () => builtInUser,
      holder: () => null,
      refusedKeys: () => null,
    } as Partial<Accounts> as Accounts,
    clock: new FakeClock(),
    vacantMs: () => 60_000,
    history: () => ({ entries: () => [], add: () => undefined }),
    run: (terminal) => run(terminal),
    left: () => undefined,
    fault: (error) => faults.push(error),
  })
  const client = new Client()
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject)
    client.connect({ host: '127.0.0.1', port: server.port, username: 'admin', password: 'any' })
  })
  return {
    show: async (gateway, typed) => {
      let asked = 0
      let over = false
      let typedAll: () => void = () => undefined
      run = (terminal) =>
        gateway.run({
          ...terminal,
          columns: 1000,
          // The recordings were made at the machine.
          origin: 'local',
          rows: 0,
          interactive: false,
          readLine: (prompt, options) => {
            if (++asked > typed.length) {
              over = true
              typedAll()
            }
            return terminal.readLine(prompt, options)
          },
        })
      const channel = await new Promise<ClientChannel>((resolve, reject) => {
        client.shell({ cols: 1000, rows: 50, term: 'dumb' }, (error, made) => (error ? reject(error) : resolve(made)))
      })
      return await new Promise<string>((resolve) => {
        let output = ''
        channel.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')))
        channel.once('close', () => {
          const shown = output.replaceAll('\r', '')
          resolve(over ? withoutEnd(shown) : shown)
        })
        typedAll = () => channel.end()
        channel.write(typed.map((line) => `${line}\r`).join(''))
      })
    },
    close: async () => {
      client.end()
      await server.close()
      rmSync(folder, { recursive: true, force: true })
      if (faults.length > 0) throw new AggregateError(faults, 'the SSH server had faults')
    },
  }
}
