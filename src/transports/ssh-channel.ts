import type { PseudoTtyInfo, ServerChannel, Session as SshSession } from 'ssh2'
import type { CommandHistory } from '../shell/history.ts'
import type { Terminal } from '../shell/terminal.ts'
import { createBatch } from './batch.ts'
import { createTty } from './tty.ts'

export interface ChannelOptions {
  readonly origin: string
  readonly now: () => number
  readonly history: () => CommandHistory
  /** Runs a shell on the terminal and resolves to its exit status. */
  readonly run: (terminal: Terminal) => Promise<number>
  readonly fault: (error: unknown) => void
}

interface Ends {
  readonly terminal: Terminal
  feed(this: void, bytes: Uint8Array): void
  end(this: void): void
  interrupt(this: void): void
}

/** Output that a client leaves untaken beyond this ends its session. */
const MAX_UNSENT = 64 * 1024 * 1024

/**
 * One session channel: a shell or a command, with a pty or without. What nobody listens to here (subsystems, sftp, X11,
 * agent and environment) is refused by ssh2.
 */
export const serveChannel = (session: SshSession, options: ChannelOptions): void => {
  const size = { columns: 0, rows: 0 }
  let term: string | null = null
  let noColour = false
  let used = false
  let ends: Ends | null = null

  const resize = (info: { readonly cols: number; readonly rows: number }): void => {
    size.columns = info.cols
    size.rows = info.rows
  }
  session.on('pty', (accept, _reject, info: PseudoTtyInfo) => {
    resize(info)
    // @types/ssh2 leaves the name of the terminal out.
    term = String((info as PseudoTtyInfo & { readonly term?: string }).term ?? '')
    accept()
  })
  session.on('window-change', (accept, _reject, info) => {
    resize(info)
    accept?.()
  })
  // no-color.org; nothing else of the client's environment is taken.
  session.on('env', (accept, reject, info) => {
    const known = info.key === 'NO_COLOR'
    noColour ||= known && info.val !== ''
    if (known) accept?.()
    else reject?.()
  })
  session.on('signal', (accept, reject, info) => {
    if (info.name === 'INT') ends?.interrupt()
    ;(info.name === 'INT' ? accept : reject)?.()
  })

  const open = (channel: ServerChannel, command?: string): void => {
    used = true
    const pty = term !== null
    const opened = pty && command === undefined ? typed(channel) : scripted(channel, pty, command)
    ends = opened
    channel.once('end', opened.end)
    channel.once('close', () => {
      opened.interrupt()
      opened.end()
    })
    channel.on('error', () => undefined)
    options.run(opened.terminal).then(
      (status) => finish(channel, status),
      (error: unknown) => {
        options.fault(error)
        finish(channel, 1)
      },
    )
  }
  session.on('shell', (accept, reject) => {
    if (used) reject()
    else open(accept())
  })
  session.on('exec', (accept, reject, { command }) => {
    if (used) reject()
    else open(accept(), command)
  })

  const typed = (channel: ServerChannel): Ends => {
    const tty = createTty({
      write: (data) => send(channel, typeof data === 'string' ? crlf(data) : data),
      drained: () => drained(channel),
      size: () => size,
      colour: !noColour && term !== '' && term !== 'dumb',
      origin: options.origin,
      history: options.history(),
      resume: () => void channel.resume(),
      now: options.now,
    })
    channel.on('data', (chunk: Buffer) => {
      if (!tty.feed(chunk)) channel.pause()
    })
    return tty
  }

  const scripted = (channel: ServerChannel, pty: boolean, command: string | undefined): Ends => {
    const line = (text: string): string => (pty ? crlf(text) : text)
    const batch = createBatch({
      write: (text) => send(channel, line(text)),
      drained: () => drained(channel),
      notice: (text) => void channel.stderr.write(line(`lychgate: ${text}\n`)),
      columns: size.columns,
      origin: options.origin,
      echo: false,
      keepGoing: false,
      now: options.now,
      ...(command === undefined ? {} : { command }),
      // One chunk at a time: a script is not read faster than it is run.
      pull: () => void channel.resume(),
    })
    channel.on('data', (chunk: Buffer) => {
      channel.pause()
      // The terminal of the client is in raw mode: its Ctrl-C comes as a byte.
      if (pty && chunk.includes(3)) batch.interrupt()
      else batch.feed(chunk)
    })
    channel.pause()
    return batch
  }
}

const crlf = (text: string): string => text.replace(/\r?\n/g, '\r\n')

const send = (channel: ServerChannel, data: string | Uint8Array): void => {
  if (channel.destroyed || channel.writableEnded) return
  channel.write(data)
  if (channel.writableLength > MAX_UNSENT) channel.close()
}

const drained = (channel: ServerChannel): Promise<void> =>
  new Promise((resolve) => {
    if (!channel.writableNeedDrain || channel.destroyed) {
      resolve()
      return
    }
    const done = (): void => {
      channel.off('drain', done)
      channel.off('close', done)
      resolve()
    }
    channel.once('drain', done)
    channel.once('close', done)
  })

const finish = (channel: ServerChannel, status: number): void => {
  if (channel.destroyed || channel.writableEnded) return
  channel.exit(status)
  channel.end()
  // A client that keeps its side open does not keep ours; what it still sends is thrown away.
  channel.resume()
}
