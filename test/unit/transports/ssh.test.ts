import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import type { ClientChannel, ConnectConfig } from 'ssh2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ssh } from '../../../src/config/sections/ssh.ts'
import { builtInUser } from '../../../src/config/sections/users.ts'
import type { Accounts } from '../../../src/services/accounts.ts'
import type { Terminal } from '../../../src/shell/terminal.ts'
import { serveSsh } from '../../../src/transports/ssh.ts'
import type { SshServer, SshServerOptions } from '../../../src/transports/ssh.ts'
import { hostKeys } from '../../../src/transports/ssh-keys.ts'
import type { HostKeys } from '../../../src/transports/ssh-keys.ts'

const ADMIN = { ...builtInUser, passphrase: 'right' }

/** Echoes lines until `quit`; answers with the number of them. */
const parrot = async (terminal: Terminal): Promise<number> => {
  for (let count = 0; ; count++) {
    const line = await terminal.readLine('> ', { history: 'commands' }).catch(() => null)
    if (line === null || line === 'quit') return count
    terminal.write(`${line} ${terminal.columns}x${terminal.rows}\n`)
  }
}

describe('the SSH server', () => {
  let folder: string
  let keys: HostKeys
  let server: SshServer
  let refused: string[]
  let faults: unknown[]
  const open = async (more: Partial<SshServerOptions> = {}, settings = {}): Promise<void> => {
    server = await serveSsh({
      settings: { ...ssh.defaults, port: 0, ...settings },
      hostKeys: keys,
      ident: 'Lychgate_test',
      banner: () => 'Keep out.',
      admits: () => true,
      accounts: {
        login: async ({ name, passphrase }) => (name === 'admin' && passphrase === 'right' ? ADMIN : null),
        holder: () => null,
        refusedKeys: (name) => refused.push(name),
      } as Partial<Accounts> as Accounts,
      now: () => 0,
      history: () => ({ entries: () => [], add: () => undefined }),
      run: parrot,
      left: () => undefined,
      fault: (error) => faults.push(error),
      ...more,
    })
  }
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ssh-'))
    keys = await hostKeys(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeEach(() => {
    refused = []
    faults = []
  })
  afterEach(async () => {
    await server.close()
    expect(faults).toEqual([])
  })

  const login = (config: Partial<ConnectConfig> = {}): Promise<ssh2.Client> =>
    new Promise((resolve, reject) => {
      const client = new ssh2.Client()
      client.once('ready', () => resolve(client)).once('error', reject)
      client.once('close', () => reject(new Error('closed')))
      client.connect({ host: '127.0.0.1', port: server.port, username: 'admin', password: 'right', ...config })
    })
  const told = (channel: ClientChannel): Promise<{ readonly text: string; readonly status: number }> =>
    new Promise((resolve) => {
      let text = ''
      let status = -1
      channel.on('data', (chunk: Buffer) => (text += chunk.toString()))
      channel.on('exit', (code: number) => (status = code))
      channel.on('close', () => resolve({ text, status }))
    })
  const shell = (client: ssh2.Client, window: object | false): Promise<ClientChannel> =>
    new Promise((resolve, reject) => {
      client.shell(window as never, (error, channel) => (error ? reject(error) : resolve(channel)))
    })

  it('makes its keys once', async () => {
    await open()
    expect((await hostKeys(folder)).shown).toEqual(keys.shown)
    expect(keys.keys.map((key) => key.type)).toEqual(['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'])
  })

  it.each([
    [{ cols: 100, rows: 30, term: 'xterm' }, '100x30'],
    [{ cols: 0, rows: 0, term: '' }, '80x24'],
    [{ cols: 20, rows: 5, term: 'vt52' }, '20x5'],
  ])('gives a terminal of %o', async (window, size) => {
    await open()
    const client = await login()
    const channel = await shell(client, window)
    channel.write('Grüße\rquit\r')
    const { text, status } = await told(channel)
    expect(text).toContain(`\r\nGrüße ${size}\r\n> `)
    expect(status).toBe(1)
    client.end()
  })

  it('follows the window', async () => {
    await open()
    const client = await login()
    const channel = await shell(client, { cols: 80, rows: 24 })
    channel.setWindow(5, 300, 0, 0)
    channel.write('wide\rquit\r')
    expect((await told(channel)).text).toContain('wide 300x5')
    client.end()
  })

  it('reads lines without a terminal, to the end of the input', async () => {
    await open()
    const client = await login()
    const channel = await shell(client, false)
    channel.end('one\ntwo')
    const { text, status } = await told(channel)
    expect(text).toBe('> \none 80x0\n> \ntwo 80x0\n> \n')
    expect(status).toBe(2)
    client.end()
  })

  it('refuses wrong passphrases, and ends the connection after six', async () => {
    await open()
    await expect(login({ password: 'wrong' })).rejects.toThrow(/authentication methods failed/)
    let tries = 0
    const endless = (): ssh2.PasswordAuthMethod => {
      tries++
      return { type: 'password', username: 'admin', password: 'wrong' }
    }
    await expect(
      login({ authHandler: ((_: unknown, __: unknown, next: (method: unknown) => void) => next(endless())) as never }),
    ).rejects.toThrow()
    expect(tries).toBe(7)
  })

  it('tells of somebody who had only wrong keys', async () => {
    await open()
    const { private: privateKey } = ssh2.utils.generateKeyPairSync('ed25519')
    const keyOnly = { privateKey, authHandler: ['publickey'] as never }
    await expect(login(keyOnly)).rejects.toThrow()
    await expect.poll(() => refused).toEqual(['admin'])
  })

  it('refuses forwarding, subsystems, agents and X11', async () => {
    await open()
    const client = await login()
    const failure = (start: (done: (error?: Error) => void) => void): Promise<string> =>
      new Promise((resolve) => start((error) => resolve(error?.message ?? 'taken')))
    expect(await failure((done) => client.forwardOut('a', 1, '127.0.0.1', 25, done))).toMatch(/open failure/)
    expect(await failure((done) => client.forwardIn('127.0.0.1', 0, done))).toMatch(/Unable to bind/)
    expect(await failure((done) => client.sftp(done))).not.toBe('taken')
    expect(await failure((done) => client.subsys('netconf', done))).not.toBe('taken')
    expect(await failure((done) => client.exec('x', { x11: true }, done))).toMatch(/X11/)
    client.end()
  })

  it('lets a user have only so many sessions', async () => {
    await open({}, { maxSessionsPerUser: 1 })
    const client = await login()
    const first = await shell(client, { cols: 80, rows: 24 })
    const second = await told(await shell(client, { cols: 80, rows: 24 }))
    expect(second.text).toBe('Too many sessions of the user admin are open.\r\n')
    first.write('quit\r')
    expect((await told(first)).status).toBe(0)
    client.end()
  })

  it('holds only so many connections that have not logged in, and gives the place back', async () => {
    await open({}, { maxHalfOpenPerAddress: 2 })
    const silent = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')]
    await Promise.all(silent.map((s) => new Promise((resolve) => s.once('data', resolve))))
    await expect(login()).rejects.toThrow()
    for (const socket of silent) socket.destroy()
    await expect
      .poll(async () =>
        login().then(
          (c) => c.end() !== undefined,
          () => false,
        ),
      )
      .toBe(true)
  })

  it('takes nobody from an address that is not admitted', async () => {
    await open({ admits: () => false })
    await expect(login()).rejects.toThrow()
  })

  it('shows the banner before the login', async () => {
    await open()
    const seen = await new Promise<string>((resolve, reject) => {
      const client = new ssh2.Client()
      client.once('banner', (text) => {
        resolve(text)
        client.end()
      })
      client.once('error', reject)
      client.connect({ host: '127.0.0.1', port: server.port, username: 'admin', password: 'right' })
    })
    expect(seen).toBe('Keep out.\r\n')
  })

  it('survives rubbish, and a packet that claims to be huge', async () => {
    await open()
    for (const bytes of ['GET / HTTP/1.0\r\n\r\n', `SSH-2.0-x\r\n${'\xff'.repeat(64)}`, '\0'.repeat(70_000)])
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.end(Buffer.from(bytes, 'latin1')))
        socket.on('error', () => undefined).on('close', () => resolve())
        socket.resume()
      })
    const client = await login()
    client.end()
  })
})
