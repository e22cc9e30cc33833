import type { PseudoTtyInfo, ServerChannel, Session as SshSession } from 'ssh2'
import type { CommandHistory } from '../shell/history.ts'
import type { BatchInput, Terminal } from '../shell/terminal.ts'
import { createBatch } from './batch.ts'
import { createTty } from './tty.ts'

export interface ChannelOptions {
  readonly origin: string
  readonly now: () => number
  readonly history: () => CommandHistory
  /** Runs a shell on the terminal and resolves to its exit status. */
  readonly run: (terminal: Terminal) => Promise<number>
  readonly fault: (error: unknown) => void
  /** Aborts when the connection has ended. */
  readonly gone: AbortSignal
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
  let gone = false
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
    const opened = term === null ? scripted(channel, command) : typed(channel, command)
    ends = opened
    const leave = (): void => {
      if (gone) return
      gone = true
      opened.interrupt()
      opened.end()
      // Input that nobody took keeps ssh2 from telling that the channel is closed.
      channel.resume()
    }
    channel.once('end', opened.end)
    channel.once('close', leave)
    // ssh2 ends our side when the client closes the channel, whether its input was read or not.
    channel.once('finish', leave)
    options.gone.addEventListener('abort', leave, { once: true })
    channel.on('error', () => undefined)
    options
      .run(opened.terminal)
      .then(
        (status) => finish(channel, status),
        (error: unknown) => {
          options.fault(error)
          finish(channel, 1)
        },
      )
      .finally(() => options.gone.removeEventListener('abort', leave))
    if (options.gone.aborted) leave()
  }
  session.on('shell', (accept, reject) => {
    if (used) reject()
    else open(accept())
  })
  session.on('exec', (accept, reject, { command }) => {
    if (used) reject()
    else open(accept(), command)
  })

  /** With a command it is run and its questions are answered by keys: Ctrl-C, secrets and echo are as in a session. */
  const typed = (channel: ServerChannel, command: string | undefined): Ends => {
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
      if (!tty.feed(chunk) && !gone) channel.pause()
    })
    if (command === undefined) return tty
    const notice = (text: string): void => void channel.stderr.write(`lychgate: ${text}\r\n`)
    return { ...tty, terminal: commanded(tty.terminal, command, notice) }
  }

  const scripted = (channel: ServerChannel, command: string | undefined): Ends => {
    const batch = createBatch({
      write: (text) => send(channel, text),
      drained: () => drained(channel),
      notice: (text) => void channel.stderr.write(`lychgate: ${text}\n`),
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
      if (gone) return
      channel.pause()
      batch.feed(chunk)
    })
    channel.pause()
    return batch
  }
}

/** The terminal of `ssh -t host "command"`: one line of commands, then the end; nothing is paged. */
const commanded = (terminal: Terminal, command: string, notice: (text: string) => void): Terminal => {
  let next: string | null = command
  const readLine: Terminal['readLine'] = async (prompt, read) => {
    if (read?.history !== 'commands') return await terminal.readLine(prompt, read)
    const line = next
    next = null
    return line
  }
  const batch: BatchInput = { prompts: false, keepGoing: false, position: () => null }
  // The terminal's own members stay as they are, its getters too.
  return Object.create(terminal, {
    readLine: { value: readLine },
    notice: { value: notice },
    batch: { value: batch },
    interactive: { value: false },
    rows: { value: 0 },
  }) as Terminal
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
