import type { Duplex } from 'node:stream'
import { UserError } from '../../../core/errors.ts'
import { integer } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm } from '../../options.ts'
import { askSource, remoteHost, sourceNamed, unreached } from '../../remote.ts'
import { createTelnetKeys } from '../../telnet-keys.ts'
import { createRemoteStream } from '../../telnet-stream.ts'

const USAGE = 'telnet HOST [PORT] [--interface=NAME]'
const port = integer(1, 65_535)
const SMTP = 25
/** A script gets what the other side says in this time; nobody is there to type. */
const LISTEN_MS = 5000

/** Keys that the other side does not take are refused beyond this, and so are answers to its options. */
const MAX_UNSENT = 65_536
const BELL = '\u0007'

const converse = async (session: Session, name: string, to: number, from: string | null): Promise<void> => {
  const { terminal, print, appliance } = session
  const interrupt = terminal.untilInterrupt()
  try {
    print(`Trying ${name}...`)
    const { socket, address } = await appliance.network
      .connect(name, to, interrupt.signal, from ?? undefined)
      .catch(unreached)
    print(`Connected to ${address}.`)
    try {
      const foreign =
        terminal.interactive && terminal.raw !== undefined
          ? await typed(session, socket, interrupt.signal)
          : await heard(session, socket)
      print(foreign ? 'Connection closed by foreign host.' : 'Connection closed.')
    } finally {
      socket.destroy()
    }
  } finally {
    interrupt.done()
  }
}

/** What is seen of the session, so that our own lines begin at the start of one. */
interface Screen {
  show(this: void, text: string): void
  freshLine(this: void): void
}

const createScreen = (session: Session): Screen => {
  let atStart = true
  const show = (text: string): void => {
    if (text === '') return
    session.terminal.write(text)
    atStart = text.endsWith('\n')
  }
  return { show, freshLine: () => show(atStart ? '' : '\n') }
}

const send = (socket: Duplex, bytes: Uint8Array): boolean => {
  if (socket.writableLength > MAX_UNSENT || socket.destroyed || socket.writableEnded) return false
  socket.write(bytes)
  return true
}

/** Shows what comes; resolves to whether the other side ended the connection. */
const received = (
  session: Session,
  socket: Duplex,
  screen: Screen,
): { readonly ended: Promise<boolean>; finish(): void } => {
  const remote = createRemoteStream((bytes) => void send(socket, bytes))
  let finished = false
  const ended = new Promise<boolean>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      if (finished) return
      screen.show(remote.feed(bytes))
      if (session.terminal.drained === undefined) return
      // A slow operator slows the other side down, instead of filling our memory.
      socket.pause()
      void session.terminal.drained().then(() => socket.resume())
    })
    socket.once('end', () => resolve(true))
    socket.once('error', () => resolve(true))
    socket.once('close', () => resolve(true))
  })
  return {
    ended,
    finish: () => {
      finished = true
      screen.show(remote.end())
      screen.freshLine()
    },
  }
}

/** `gone` aborts when the operator's side has gone, or at a Ctrl-C that came as a signal and not as a key. */
const typed = async (session: Session, socket: Duplex, gone: AbortSignal): Promise<boolean> => {
  session.print("Escape character is '^]'.")
  const screen = createScreen(session)
  const remote = received(session, socket, screen)
  let leave: () => void = () => undefined
  const left = new Promise<boolean>((resolve) => {
    leave = () => resolve(false)
  })
  gone.addEventListener('abort', leave, { once: true })
  if (gone.aborted) leave()
  const keys = createTelnetKeys({
    echo: screen.show,
    send: (bytes) => {
      const taken = send(socket, bytes)
      if (!taken) session.terminal.write(BELL)
      return taken
    },
    leave,
  })
  const keyboard = session.terminal.raw?.(keys.feed)
  try {
    return await Promise.race([remote.ended, left])
  } finally {
    gone.removeEventListener('abort', leave)
    keyboard?.done()
    remote.finish()
  }
}

const heard = async (session: Session, socket: Duplex): Promise<boolean> => {
  const remote = received(session, socket, createScreen(session))
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    const silence = session.appliance.env.clock.sleep(LISTEN_MS, signal).then(
      () => false,
      () => false,
    )
    return await Promise.race([remote.ended, silence])
  } finally {
    done()
    remote.finish()
  }
}

export default defineCommand({
  name: 'telnet',
  summary: 'Connect to a remote host',
  description:
    'Opens a plain TCP connection. On a terminal each key goes to the other side at once, and ^] ends it. In a script it shows what the other side says within five seconds.',
  options: { '--interface=NAME': 'the interface to connect from' },
  example: 'greeting',
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    const from = await askSource(session, 'Please select which interface you want to telnet from.')
    const name = await session.ask.field('Enter the remote hostname or IP.', remoteHost)
    await converse(session, name, await session.ask.field('Enter the remote port.', port, SMTP), from)
  },
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE, args, { min: 1, max: 2, values: ['interface'] })
        const name = remoteHost.parse(words[0] ?? '')
        const number = port.parse(words[1] ?? String(SMTP))
        if (!name.ok) throw new UserError(name.error)
        if (!number.ok) throw new UserError(number.error)
        await converse(session, name.value, number.value, sourceNamed(session, options['interface']))
      },
    },
  ],
})
