import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Terminal } from '../../../src/shell/terminal.ts'
import { FRAME, PROTOCOL_VERSION, frame, frameReader, resizeFrame } from '../../../src/transports/protocol.ts'
import type { Hello } from '../../../src/transports/protocol.ts'
import { serveSocket } from '../../../src/transports/socket-server.ts'
import type { SocketServer } from '../../../src/transports/socket-server.ts'

let folder: string
let path: string
let server: SocketServer | null
const faults: unknown[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lg-'))
  path = join(folder, 'control.sock')
  server = null
  faults.length = 0
})
afterEach(async () => {
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

const listen = async (session: (terminal: Terminal, pid: number) => Promise<number>): Promise<void> => {
  server = await serveSocket({
    path,
    session,
    history: () => ({ entries: () => [], add: () => undefined }),
    fault: (error) => faults.push(error),
  })
}

interface Client {
  readonly socket: Socket
  readonly output: () => string
  readonly notices: () => string
  readonly closed: Promise<number | null>
}

const attach = (hello: Partial<Hello> | string = {}): Client => {
  let output = ''
  let notices = ''
  let status: number | null = null
  const socket = connect(path)
  const read = frameReader((type, payload) => {
    if (type === FRAME.data) output += payload.toString('utf8')
    else if (type === FRAME.notice) notices += payload.toString('utf8')
    else if (type === FRAME.exit) status = payload.readUInt8(0)
  })
  socket.on('data', read)
  socket.on('error', () => undefined)
  const greeting = {
    ...{
      version: PROTOCOL_VERSION,
      pid: 7,
      tty: false,
      columns: 80,
      rows: 24,
      colour: false,
      echo: true,
      keepGoing: false,
    },
    ...(typeof hello === 'string' ? {} : hello),
  }
  socket.write(frame(FRAME.hello, typeof hello === 'string' ? hello : JSON.stringify(greeting)))
  const closed = new Promise<number | null>((resolve) => socket.once('close', () => resolve(status)))
  return { socket, output: () => output, notices: () => notices, closed }
}
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('the control socket', () => {
  it('is for its owner alone', async () => {
    await listen(async () => 0)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('carries lines both ways, notices apart, and the exit status', async () => {
    await listen(async (terminal, pid) => {
      const line = await terminal.readLine('> ')
      terminal.write(`${pid} got ${line}\n`)
      terminal.notice?.('beside it')
      return 3
    })
    const client = attach()
    client.socket.write(frame(FRAME.data, 'hello\nrest'))
    expect(await client.closed).toBe(3)
    expect(client.output()).toBe('> hello\n7 got hello\n')
    expect(client.notices()).toBe('lychgate: beside it\n')
  })

  it('gives a terminal its size, its resizes and its keys', async () => {
    await listen(async (terminal) => {
      terminal.write(`${terminal.columns}x${terminal.rows} `)
      await terminal.readLine('> ')
      terminal.write(`${terminal.columns}x${terminal.rows} ${terminal.interactive}`)
      return 0
    })
    const client = attach({ tty: true, columns: 100, rows: 30 })
    await until(() => client.output().includes('> '))
    client.socket.write(resizeFrame(120, 50))
    client.socket.write(frame(FRAME.data, 'x\r'))
    await client.closed
    expect(client.output()).toBe('100x30 > x\n120x50 true')
  })

  it('aborts what runs when the client sends an interrupt, and when it goes away', async () => {
    const reasons: string[] = []
    await listen(async (terminal) => {
      const { signal } = terminal.untilInterrupt()
      terminal.write('running\n')
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      reasons.push('aborted')
      return 0
    })
    const one = attach({ tty: true })
    await until(() => one.output() === 'running\n')
    one.socket.write(frame(FRAME.interrupt))
    expect(await one.closed).toBe(0)
    const two = attach({ tty: true })
    await until(() => two.output() === 'running\n')
    two.socket.destroy()
    await until(() => reasons.length === 2)
  })

  it('pulls input only when it is wanted', async () => {
    let pulls = 0
    await listen(async (terminal) => {
      terminal.write('no question')
      return 0
    })
    const client = attach({ command: 'version' })
    client.socket.on(
      'data',
      frameReader((type) => (pulls += type === FRAME.pull ? 1 : 0)),
    )
    await client.closed
    expect(pulls).toBe(0)
  })

  it.each([
    ['no greeting', 'nonsense'],
    [
      'another version',
      JSON.stringify({
        version: 99,
        pid: 1,
        tty: false,
        columns: 1,
        rows: 1,
        colour: false,
        echo: false,
        keepGoing: false,
      }),
    ],
    ['wrong types', JSON.stringify({ version: PROTOCOL_VERSION, pid: 'x' })],
  ])('refuses %s with one line', async (_, greeting) => {
    await listen(async () => 0)
    const client = attach(greeting)
    expect(await client.closed).toBe(1)
    expect(client.notices()).toMatch(/^lychgate: .* different versions.*\n$/)
  })

  it('refuses a frame that claims to be endless', async () => {
    await listen(async () => new Promise(() => undefined))
    const client = attach()
    const head = Buffer.from([FRAME.data, 0xff, 0xff, 0xff, 0xff])
    client.socket.write(head)
    expect(await client.closed).toBe(1)
  })

  it('ends a session whose code fails, tells the log, and serves the next', async () => {
    let first = true
    await listen(async (terminal) => {
      if (first) {
        first = false
        throw new Error('broken')
      }
      terminal.write('fine')
      return 0
    })
    expect(await attach().closed).toBe(1)
    expect(faults).toHaveLength(1)
    const next = attach()
    expect(await next.closed).toBe(0)
    expect(next.output()).toBe('fine')
  })

  it('tells its clients when the appliance stops', async () => {
    await listen(async (terminal) => {
      terminal.write('up')
      await terminal.readLine('')
      return 0
    })
    const client = attach({ tty: true })
    await until(() => client.output() === 'up')
    await server?.close()
    server = null
    expect(await client.closed).toBe(1)
    expect(client.notices()).toContain('the appliance has stopped')
  })

  it('replaces a socket file that nobody listens at, and refuses one at which somebody does', async () => {
    writeFileSync(path, '')
    await listen(async () => 0)
    await expect(
      serveSocket({
        path,
        session: async () => 0,
        history: () => ({ entries: () => [], add: () => undefined }),
        fault: () => undefined,
      }),
    ).rejects.toThrow('Another appliance already answers')
  })

  it('refuses a path that no socket can have', async () => {
    const long = join(folder, 'x'.repeat(120))
    await expect(
      serveSocket({
        path: long,
        session: async () => 0,
        history: () => ({ entries: () => [], add: () => undefined }),
        fault: () => undefined,
      }),
    ).rejects.toThrow('too long for a control socket')
  })

  it('drops a client that takes nothing of what it asked for, at a limit', async () => {
    let dropped = false
    await listen(async (terminal) => {
      const { signal } = terminal.untilInterrupt()
      const block = 'x'.repeat(1024 * 1024)
      for (let i = 0; i < 80 && !signal.aborted; i++) {
        terminal.write(block)
        await new Promise((resolve) => setImmediate(resolve))
      }
      dropped = signal.aborted
      return 0
    })
    const client = attach({ tty: true })
    client.socket.pause()
    await until(() => dropped)
    client.socket.destroy()
  })
})
