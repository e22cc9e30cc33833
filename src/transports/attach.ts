import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { FRAME, PROTOCOL_VERSION, dataFrames, frame, frameReader, resizeFrame } from './protocol.ts'
import type { Hello } from './protocol.ts'

/*
 * The client that attaches this terminal to the running appliance. It imports node: modules only, so that
 * `lychgate -c version` costs a connection and not the product's start-up.
 */

export interface AttachOptions {
  readonly path: string
  /** The socket of this user alone, for those who may not open `path`. */
  readonly own?: string
  readonly echo: boolean
  readonly keepGoing: boolean
  readonly noColor: boolean
  readonly command?: string
  /** Called once the appliance has answered. */
  readonly onAttached?: () => void
}

/** The exit status of the session, or null when no appliance listens at `path`. */
export const attach = async (options: AttachOptions): Promise<number | null> => {
  const socket = await openOne(options)
  if (socket === null) return null
  options.onAttached?.()
  return converse(socket, options)
}

const denied = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EACCES'

const openOne = async ({ path, own }: AttachOptions): Promise<Socket | null> => {
  try {
    return await open(path)
  } catch (error) {
    if (!denied(error)) throw error
  }
  const socket =
    own === undefined
      ? null
      : await open(own).catch((error: unknown) => {
          if (denied(error)) return null
          throw error
        })
  // The appliance is somebody else's: one of our own must not be started in its place.
  if (socket === null)
    throw new Error(
      `the appliance at ${dirname(path)} belongs to another user; run as that user or as root, or have an administrator give you a socket with userconfig.`,
    )
  return socket
}

const open = (path: string): Promise<Socket | null> =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // ENOENT: never served; ECONNREFUSED: a server died and left its file.
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      // Not a directory, a broken path: the host says what is wrong with the home.
      else if (error.code === 'ENOTDIR') resolve(null)
      else reject(error)
    })
  })

/** Colour: a terminal that has it, and nobody who said no (no-color.org). */
export const hasColour = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean =>
  Boolean(isTTY) && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'

/** Whoever reads our output has what it wanted: that ends a command without a word. A full disk does not. */
export const readerHasGone = (error: NodeJS.ErrnoException): boolean =>
  error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'EIO'

const converse = (socket: Socket, options: AttachOptions): Promise<number> => {
  const { stdin, stdout, stderr } = process
  // isTTY is undefined, not false, where a stream is a pipe; JSON would leave it out of the hello.
  const tty = options.command === undefined && Boolean(stdin.isTTY) && Boolean(stdout.isTTY)
  const hello: Hello = {
    version: PROTOCOL_VERSION,
    pid: process.pid,
    tty,
    columns: stdout.isTTY ? stdout.columns : 0,
    rows: stdout.isTTY ? stdout.rows : 0,
    colour: !options.noColor && hasColour(stdout.isTTY, process.env),
    echo: options.echo,
    keepGoing: options.keepGoing,
    ...(options.command === undefined ? {} : { command: options.command }),
  }

  return new Promise<number>((resolve) => {
    let status: number | null = null
    let pulls = 0
    let listening = false

    const restore = (): void => {
      if (tty) stdin.setRawMode(false)
    }
    const finish = (code: number): void => {
      process.off('exit', restore)
      restore()
      stdin.pause()
      socket.destroy()
      resolve(code)
    }
    const send = (): void => {
      if (listening) return
      listening = true
      stdin.on('data', (chunk: Buffer) => {
        pulls--
        if (pulls <= 0) stdin.pause()
        for (const part of dataFrames(chunk)) socket.write(part)
      })
      stdin.once('end', () => socket.write(frame(FRAME.end)))
      stdin.once('error', () => socket.write(frame(FRAME.end)))
    }
    const onFrame = (type: number, payload: Buffer): void => {
      if (type === FRAME.data) {
        // One chunk may hold many frames: the first that is not taken at once stops the flow for all.
        if (!stdout.write(payload) && !socket.isPaused()) {
          socket.pause()
          stdout.once('drain', () => socket.resume())
        }
      } else if (type === FRAME.notice) stderr.write(payload)
      else if (type === FRAME.pull) {
        pulls++
        send()
        stdin.resume()
      } else if (type === FRAME.exit) status = payload.readUInt8(0)
    }

    process.once('exit', restore)
    if (tty) stdin.setRawMode(true)
    const read = frameReader(onFrame)
    socket.on('data', (chunk: Buffer) => {
      try {
        read(chunk)
      } catch {
        socket.destroy()
      }
    })
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (readerHasGone(error)) finish(status ?? 0)
      else {
        stderr.write(`lychgate: the output cannot be written: ${error.message}\n`)
        finish(1)
      }
    })
    stderr.on('error', () => finish(status ?? 0))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (status === null) {
        restore()
        stderr.write(`${tty ? '\n' : ''}lychgate: the connection to the appliance was lost.\n`)
      }
      finish(status ?? 1)
    })
    stdout.on('resize', () => socket.write(resizeFrame(stdout.columns, stdout.rows)))
    process.on('SIGINT', () => socket.write(frame(FRAME.interrupt)))
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => finish(1))
    socket.write(frame(FRAME.hello, JSON.stringify(hello)))
  })
}
