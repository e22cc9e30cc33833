import { mkdtempSync, rmSync } from 'node:fs'
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import type { ClientChannel, ConnectConfig } from 'ssh2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ssh } from '../../../src/config/sections/ssh.ts'
import { builtInUser } from '../../../src/config/sections/users.ts'
import type { Accounts } from '../../../src/services/accounts.ts'
import type { Terminal } from '../../../src/shell/terminal.ts'
import { authenticate } from '../../../src/transports/ssh-auth.ts'
import { serveSsh } from '../../../src/transports/ssh.ts'
import type { SshServer, SshServerOptions } from '../../../src/transports/ssh.ts'
import { hostKeys } from '../../../src/transports/ssh-keys.ts'
import type { HostKeys } from '../../../src/transports/ssh-keys.ts'
import { FakeClock } from '../../support/fake-clock.ts'

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
  let clock: FakeClock
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
      clock,
      vacantMs: () => 1_800_000,
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
    clock = new FakeClock()
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

  it('sends a banner line by line, and nothing in it that a terminal would obey', async () => {
    await open({ banner: () => 'Keep\n\u001b[2Jout.\n' })
    const banner = new Promise<string>((resolve) => {
      const client = new ssh2.Client()
      client.once('banner', (text) => resolve(text)).once('ready', () => client.end())
      client.connect({ host: '127.0.0.1', port: server.port, username: 'admin', password: 'right' })
    })
    expect(await banner).toMatch(/^Keep\r\n[^\u001b\r\n]+out\.\r\n$/)
  })

  const exec = (client: ssh2.Client, command: string, pty: boolean): Promise<ClientChannel> =>
    new Promise((resolve, reject) => {
      client.exec(command, { pty }, (error, channel) => (error ? reject(error) : resolve(channel)))
    })
  /** As `tail` does: until Ctrl-C, or until nobody is there. */
  const follow = () => {
    const seen = { running: 0, ended: 0 }
    const run = async (terminal: Terminal): Promise<number> => {
      const { signal, done } = terminal.untilInterrupt()
      seen.running++
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      done()
      seen.ended++
      return 7
    }
    return { seen, run }
  }

  it('stops a command on a terminal at Ctrl-C, which comes as a key', async () => {
    const { run } = follow()
    await open({ run })
    const client = await login()
    const channel = await exec(client, 'tail mail_logs', true)
    const end = told(channel)
    channel.write('\u0003')
    expect((await end).status).toBe(7)
    client.end()
  })

  it('asks for answers on a terminal after a command, and runs that command once', async () => {
    const run = async (terminal: Terminal): Promise<number> => {
      const command = await terminal.readLine('', { history: 'commands' })
      const answer = await terminal.readLine('Passphrase: ', { secret: true })
      const seen = await terminal.readLine('[]> ')
      const more = await terminal.readLine('', { history: 'commands' })
      terminal.write(`(${command}|${answer}|${seen}|${more}|${terminal.interactive})\n`)
      return 0
    }
    await open({ run })
    const client = await login()
    const channel = await exec(client, 'passwd', true)
    channel.write('hidden\rseen\r')
    const { text } = await told(channel)
    expect(text).toContain('(passwd|hidden|seen|null|false)')
    expect(text.match(/hidden/g)).toHaveLength(1)
    client.end()
  })

  it.each([
    ['a connection that ends', (client: ssh2.Client) => client.end()],
    ['a channel that is closed', (_: ssh2.Client, channel: ClientChannel) => channel.close()],
  ])('leaves no session behind after %s, though nobody read its input', async (_, leave) => {
    const { run, seen } = follow()
    await open({ run })
    const client = await login()
    const channel = await exec(client, 'tail mail_logs', false)
    await expect.poll(() => seen.running).toBe(1)
    await new Promise<void>((resolve) => channel.write('never read\n'.repeat(100), () => resolve()))
    leave(client, channel)
    await expect.poll(() => seen.ended).toBe(1)
    client.end()
  })

  it('gives a client a minute to log in, silent or not', async () => {
    await open()
    const silent = connect(server.port, '127.0.0.1')
    const greeting = connect(server.port, '127.0.0.1', () => greeting.write('SSH-2.0-slow\r\n'))
    const closed = [silent, greeting].map(
      (s) => new Promise<void>((resolve) => s.resume().once('close', () => resolve())),
    )
    await Promise.all([silent, greeting].map((s) => new Promise((resolve) => s.once('data', resolve))))
    await clock.advance(59_999)
    expect(silent.destroyed).toBe(false)
    await clock.advance(1)
    await Promise.all(closed)
  })

  it('does not count the time of somebody who is in as time to log in, but ends who opens no session for too long', async () => {
    await open()
    const client = await login()
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    const channel = await shell(client, { cols: 80, rows: 24 })
    await clock.advance(7_200_000)
    const end = told(channel)
    channel.write('quit\r')
    expect((await end).status).toBe(0)
    await clock.advance(1_799_999)
    channel.destroy()
    await told(await exec(client, 'x', false).then((c) => c.end()))
    await clock.advance(1_800_000)
    await closed
  })

  it('holds only so many connections of a user, sessions or not', async () => {
    await open({}, { maxSessionsPerUser: 1, maxHalfOpenPerAddress: 100 })
    const clients = await Promise.all(Array.from({ length: 6 }, async () => await login()))
    const one = await login().catch(() => null)
    if (one !== null) await new Promise<void>((resolve) => one.once('close', () => resolve()))
    clients[0]?.end()
    await expect
      .poll(async () => {
        const client = await login().catch(() => null)
        const channel = client && (await shell(client, false).catch(() => null))
        channel?.end()
        return channel !== null
      })
      .toBe(true)
    for (const client of clients) client.end()
  })

  it('gives sessions that were refused back: ten times sftp does not use up a connection', async () => {
    await open()
    const client = await login()
    for (let i = 0; i < 12; i++) await new Promise<void>((resolve) => client.sftp(() => resolve()))
    const channel = await shell(client, false)
    channel.end()
    expect((await told(channel)).status).toBe(0)
    client.end()
  })

  it('keeps who came in first, when a second try was sent before the first was answered', async () => {
    const answers: ((user: typeof ADMIN | null) => void)[] = []
    const connection = new EventEmitter() as EventEmitter & { end(): void }
    connection.end = () => undefined
    await open()
    const accounts = { login: async () => await new Promise((resolve) => answers.push(resolve)) }
    const { user } = authenticate(connection as never, {
      accounts: accounts as never,
      from: '192.0.2.1',
      parseKey: () => null,
      fault: (error) => faults.push(error),
    })
    const context = { method: 'password', username: 'admin', password: 'x', accept: () => 0, reject: () => 0 }
    connection.emit('authentication', context)
    connection.emit('authentication', context)
    answers[0]?.(ADMIN)
    answers[1]?.(null)
    await expect.poll(() => user()?.name).toBe('admin')
    await new Promise((resolve) => setImmediate(resolve))
    expect(user()?.name).toBe('admin')
  })

  it('notices a client that has gone without a word: it answers no keep-alive', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const { run, seen } = follow()
      await open({ run })
      const client = await login()
      await exec(client, 'tail mail_logs', false)
      await expect.poll(() => seen.running).toBe(1)
      // It is there and takes nothing: as behind a line that was cut.
      ;(client as unknown as { _sock: Socket })._sock.pause()
      for (let i = 0; i < 5; i++) vi.advanceTimersByTime(30_000)
      await expect.poll(() => seen.ended).toBe(1)
      client.destroy()
    } finally {
      vi.useRealTimers()
    }
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
