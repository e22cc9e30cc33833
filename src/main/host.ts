import { lockHome } from '../adapters/files/lock.ts'
import type { ApplianceOptions, RunningAppliance } from './options.ts'
import { createBatch } from '../transports/batch.ts'
import { hasColour, readerHasGone } from '../transports/attach.ts'
import { lockPath } from './sessions.ts'
import type { Sessions } from './sessions.ts'
import { machineParts } from './machine.ts'

export interface HostOptions {
  readonly home: string
  readonly echo: boolean
  readonly keepGoing: boolean
  readonly noColor: boolean
  readonly command?: string
  readonly seed: NonNullable<ApplianceOptions['seed']>
}

/** How long a shell waits for another one that works on the same home without an appliance. */
const LOCK_WAIT_MS = 10_000
const STOP_GRACE_MS = 5000

export const say = (line: string): void => void process.stderr.write(`lychgate: ${line}\n`)

/** A shell at an appliance in this process, which ends with it: with its services where somebody types, without in batch. */
export const hostShell = async (options: HostOptions): Promise<number> => {
  const { stdin, stdout } = process
  const interactive = options.command === undefined && stdin.isTTY && stdout.isTTY
  const lock = await lockHome(lockPath(options.home), LOCK_WAIT_MS)
  try {
    say(
      interactive
        ? `no appliance is running at ${options.home}: this shell runs one, which ends with it.`
        : `no appliance is running at ${options.home}: the commands run here, without listeners.`,
    )
    const running = await start(options, interactive)
    try {
      const { sessions } = running
      return interactive ? await talk(sessions, options) : await script(sessions, options)
    } finally {
      await running.stop(STOP_GRACE_MS)
    }
  } finally {
    lock.release()
  }
}

/** Builds and starts the appliance of this machine. */
export const start = async (
  options: HostOptions,
  services: boolean,
  asRoot?: ApplianceOptions['asRoot'],
): Promise<RunningAppliance> => {
  const { buildAppliance } = await import('./appliance.ts')
  return buildAppliance({
    home: options.home,
    ...machineParts(),
    services,
    writer: 'worker',
    atTerminal: Boolean(process.stderr.isTTY),
    seed: options.seed,
    notice: say,
    ...(asRoot === undefined ? {} : { asRoot }),
  })
}

const script = async (sessions: Sessions, options: HostOptions): Promise<number> => {
  const { stdin, stdout } = process
  let listening = false
  let readerGone = false
  let lost = false
  const batch = createBatch({
    write: (text) => void stdout.write(text),
    notice: (line) => {
      if (!readerGone) say(line)
    },
    columns: stdout.isTTY ? stdout.columns : 0,
    origin: 'local',
    echo: options.echo,
    keepGoing: options.keepGoing,
    ...(options.command === undefined ? {} : { command: options.command }),
    pull: () => {
      if (!listening) {
        listening = true
        stdin.on('data', (chunk: Buffer) => {
          stdin.pause()
          batch.feed(chunk)
        })
        stdin.once('end', batch.end)
        stdin.once('error', batch.end)
      }
      stdin.resume()
    },
  })
  const stop = (): void => batch.interrupt()
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (readerHasGone(error)) readerGone = true
    else if (!lost) {
      lost = true
      say(`the output cannot be written: ${error.message}`)
    }
    stop()
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  try {
    const status = await sessions.run(batch.terminal, process.pid)
    // Whether the last of it could be written is known when it has been: Node 24 says so later than Node 20.
    await new Promise((resolve) => stdout.write('', () => setImmediate(resolve)))
    return readerGone ? 0 : lost ? 1 : status
  } finally {
    stdin.pause()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop)
  }
}

const talk = async (sessions: Sessions, options: HostOptions): Promise<number> => {
  const { stdin, stdout } = process
  const { createTty } = await import('../transports/tty.ts')
  const tty = createTty({
    write: (data) => void stdout.write(data),
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    colour: !options.noColor && hasColour(true, process.env),
    origin: 'local',
    history: sessions.history,
    resume: () => void stdin.resume(),
  })
  const restore = (): void => void stdin.setRawMode(false)
  const end = (): void => {
    tty.interrupt()
    tty.end()
  }
  const server = await sessions.listen()
  process.once('exit', restore)
  stdin.setRawMode(true)
  stdin.on('data', (chunk: Buffer) => {
    if (!tty.feed(chunk)) stdin.pause()
  })
  stdin.once('end', tty.end)
  stdout.on('error', end)
  process.on('SIGINT', tty.interrupt)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
  try {
    return await sessions.run(tty.terminal, process.pid)
  } finally {
    restore()
    process.off('exit', restore)
    stdin.pause()
    await server.close()
  }
}
