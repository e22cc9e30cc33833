import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { dirname } from 'node:path'
import { UserError, errorText } from '../core/errors.ts'
import type { CommandHistory } from '../shell/history.ts'
import type { Terminal } from '../shell/terminal.ts'
import { createBatch } from './batch.ts'
import { FRAME, PROTOCOL_VERSION, dataFrames, frame, frameReader, readHello } from './protocol.ts'
import type { Hello } from './protocol.ts'
import { createTty } from './tty.ts'

export interface SocketServerOptions {
  readonly path: string
  /** Runs a shell on the terminal and resolves to its exit status. */
  readonly session: (terminal: Terminal, pid: number) => Promise<number>
  readonly history: () => CommandHistory
  /** A fault of the server itself or of a session. */
  readonly fault: (error: unknown) => void
  /** Monotonic milliseconds; with it a terminal where nobody types for too long is ended. */
  readonly now?: () => number
}

export interface SocketServer {
  /** Tells every session that the appliance ends, and closes. */
  close(): Promise<void>
}

/** sun_path of Linux has 108 bytes, of the BSDs 104, both with the closing zero. */
const MAX_PATH = 103
const MAX_SESSIONS = 64
/** A client that does not greet in this time is no client. */
const HELLO_TIMEOUT_MS = 10_000
/** Output that a client leaves untaken beyond this ends its session: nothing here may grow without a limit. */
const MAX_UNSENT = 64 * 1024 * 1024

/** The owner of the home directory is the administrator: the socket's directory is 0700 and the socket 0600. */
export const serveSocket = async (options: SocketServerOptions): Promise<SocketServer> => {
  const { path } = options
  if (Buffer.byteLength(path) > MAX_PATH)
    throw new UserError(
      `The path ${path} is too long for a control socket; choose a home directory with a shorter path.`,
    )
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (await answers(path)) throw new UserError(`Another appliance already answers at ${path}.`)
  rmSync(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    if (sockets.size >= MAX_SESSIONS) {
      socket.end(Buffer.concat([frame(FRAME.notice, 'lychgate: too many sessions are open.\n'), exitFrame(1)]))
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    converse(socket, options)
  })
  await listen(server, path)
  chmodSync(path, 0o600)
  server.on('error', options.fault)
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets)
        socket.end(Buffer.concat([frame(FRAME.notice, '\nlychgate: the appliance has stopped.\n'), exitFrame(1)]))
      // A client that does not take its good-bye is cut off.
      const cut = setTimeout(() => sockets.forEach((s) => s.destroy()), 1000)
      await closed
      clearTimeout(cut)
    },
  }
}

const exitFrame = (status: number): Buffer => frame(FRAME.exit, Uint8Array.of(status))

/** Whether somebody listens at this socket file. */
export const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path)
    probe.setTimeout(2000, () => probe.destroy(new Error('time-out')))
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })

interface Ends {
  feed(this: void, bytes: Uint8Array): void
  end(this: void): void
  interrupt(this: void): void
}

const converse = (socket: Socket, options: SocketServerOptions): void => {
  let ends: Ends | null = null
  const size = { columns: 0, rows: 0 }
  const deadline = setTimeout(() => socket.destroy(), HELLO_TIMEOUT_MS)

  const send = (buffer: Buffer): void => {
    if (socket.destroyed || socket.writableEnded) return
    socket.write(buffer)
    if (socket.writableLength > MAX_UNSENT) socket.destroy()
  }
  const refuse = (text: string): void => {
    socket.end(Buffer.concat([frame(FRAME.notice, `lychgate: ${text}\n`), exitFrame(1)]))
  }
  const begin = (hello: Hello): void => {
    size.columns = hello.columns
    size.rows = hello.rows
    const opened = openTerminal(socket, hello, size, send, options)
    ends = opened
    options.session(opened.terminal, hello.pid).then(
      (status) => {
        socket.end(exitFrame(status))
      },
      (error: unknown) => {
        options.fault(error)
        refuse(`the session ended because of an internal error: ${errorText(error)}`)
      },
    )
  }
  const onFrame = (type: number, payload: Buffer): void => {
    if (ends === null) {
      clearTimeout(deadline)
      const hello = type === FRAME.hello ? readHello(payload) : null
      if (hello?.version !== PROTOCOL_VERSION)
        refuse('this client and the running appliance are of different versions; restart the appliance.')
      else begin(hello)
    } else if (type === FRAME.data) ends.feed(payload)
    else if (type === FRAME.end) ends.end()
    else if (type === FRAME.interrupt) ends.interrupt()
    else if (type === FRAME.resize && payload.length >= 4) {
      size.columns = payload.readUInt16BE(0)
      size.rows = payload.readUInt16BE(2)
    }
  }
  const read = frameReader(onFrame)
  socket.on('data', (chunk: Buffer) => {
    try {
      read(chunk)
    } catch (error) {
      refuse(errorText(error))
    }
  })
  // A reset by a client that went away is its good right; 'close' follows.
  socket.on('error', () => undefined)
  socket.once('close', () => {
    clearTimeout(deadline)
    ends?.interrupt()
    ends?.end()
  })
}

const openTerminal = (
  socket: Socket,
  hello: Hello,
  size: { readonly columns: number; readonly rows: number },
  send: (buffer: Buffer) => void,
  options: Pick<SocketServerOptions, 'history' | 'now'>,
): Ends & { readonly terminal: Terminal } => {
  const write = (data: string | Uint8Array): void => {
    for (const part of dataFrames(data)) send(part)
  }
  const pull = (): void => send(frame(FRAME.pull))
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      if (!socket.writableNeedDrain || socket.destroyed) {
        resolve()
        return
      }
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.once('drain', done)
      socket.once('close', done)
    })
  if (!hello.tty) {
    const notice = (line: string): void => send(frame(FRAME.notice, `lychgate: ${line}\n`))
    const { columns, command, echo, keepGoing } = hello
    return createBatch({
      write,
      drained,
      notice,
      columns,
      origin: 'local',
      echo,
      keepGoing,
      pull,
      ...(command === undefined ? {} : { command }),
    })
  }
  const tty = createTty({
    write,
    drained,
    size: () => size,
    colour: hello.colour,
    origin: 'local',
    history: options.history(),
    resume: pull,
    ...(options.now === undefined ? {} : { now: options.now }),
  })
  pull()
  return {
    terminal: tty.terminal,
    feed: (bytes) => {
      if (tty.feed(bytes)) pull()
    },
    end: tty.end,
    interrupt: tty.interrupt,
  }
}
