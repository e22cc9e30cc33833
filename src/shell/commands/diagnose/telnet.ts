import { StringDecoder } from 'node:string_decoder'
import type { Duplex } from 'node:stream'
import { UserError } from '../../../core/errors.ts'
import { integer } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm } from '../../options.ts'
import { INTERFACES, remoteHost, unreached } from '../../remote.ts'
import { createTypedLine } from '../../typed-line.ts'

const USAGE = 'telnet HOST [PORT]'
const port = integer(1, 65_535)
const SMTP = 25
/** A script gets what the other side says in this time; nobody is there to type. */
const LISTEN_MS = 5000

/** What the other side sends is shown, never obeyed: every control byte but CR, LF and TAB is escaped. */
const harmless = (text: string): string => text.replace(/[^\r\n\t]+/g, printable)

const converse = async (session: Session, name: string, to: number): Promise<void> => {
  const { terminal, print, appliance } = session
  const interrupt = terminal.untilInterrupt()
  try {
    print(`Trying ${name}...`)
    const { socket, address } = await appliance.network.connect(name, to, interrupt.signal).catch(unreached)
    print(`Connected to ${address}.`)
    try {
      const foreign =
        terminal.interactive && terminal.raw !== undefined ? await typed(session, socket) : await heard(session, socket)
      print(foreign ? 'Connection closed by foreign host.' : 'Connection closed.')
    } finally {
      socket.destroy()
    }
  } finally {
    interrupt.done()
  }
}

/** Shows what comes; resolves to whether the other side ended the connection. */
const received = (session: Session, socket: Duplex): { readonly ended: Promise<boolean>; finish(): void } => {
  const utf8 = new StringDecoder('utf8')
  let atStart = true
  const show = (text: string): void => {
    if (text === '') return
    session.terminal.write(harmless(text))
    atStart = text.endsWith('\n')
  }
  const ended = new Promise<boolean>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      show(utf8.write(bytes))
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
      show(utf8.end())
      if (!atStart) session.terminal.write('\n')
    },
  }
}

const typed = async (session: Session, socket: Duplex): Promise<boolean> => {
  session.print("Escape character is '^]'.")
  const remote = received(session, socket)
  let leave: () => void = () => undefined
  const left = new Promise<boolean>((resolve) => {
    leave = () => resolve(false)
  })
  const line = createTypedLine({
    echo: (text) => session.terminal.write(text),
    send: (text) => void socket.write(`${text}\r\n`),
    leave: () => leave(),
  })
  const keyboard = session.terminal.raw?.(line.feed)
  try {
    return await Promise.race([remote.ended, left])
  } finally {
    keyboard?.done()
    remote.finish()
  }
}

const heard = async (session: Session, socket: Duplex): Promise<boolean> => {
  const remote = received(session, socket)
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
    'Opens a plain TCP connection and passes lines both ways; ^] or Ctrl-C ends it. In a script it shows what the other side says within five seconds.',
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    await session.ask.pick('Please select which interface you want to telnet from.', INTERFACES, (i) => i, 0)
    const name = await session.ask.field('Enter the remote hostname or IP.', remoteHost)
    await converse(session, name, await session.ask.field('Enter the remote port.', port, SMTP))
  },
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words } = readForm(USAGE, args, { min: 1, max: 2 })
        const name = remoteHost.parse(words[0] ?? '')
        const number = port.parse(words[1] ?? String(SMTP))
        if (!name.ok) throw new UserError(name.error)
        if (!number.ok) throw new UserError(number.error)
        await converse(session, name.value, number.value)
      },
    },
  ],
})
