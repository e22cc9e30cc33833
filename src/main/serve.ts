import { lockHome } from '../adapters/files/lock.ts'
import { UserError } from '../core/errors.ts'
import { answers } from '../transports/socket-server.ts'
import { say, start } from './host.ts'
import type { HostOptions } from './host.ts'
import { findUser, workAs } from './privileges.ts'
import { lockPath, socketPath } from './sessions.ts'

/** How long a new appliance waits for one that is just stopping, as at a restart by a service manager. */
const LOCK_WAIT_MS = 5000
const STOP_GRACE_MS = 10_000
/** Stopping takes no longer than this, whatever hangs. */
const STOP_LIMIT_MS = 30_000

/** `lychgate serve`: the appliance in the foreground, for a service manager. */
export const serve = async (options: HostOptions, user?: string): Promise<number> => {
  if (await answers(socketPath(options.home)))
    throw new UserError(`An appliance is already running at ${options.home}; stop it or choose another --home.`)
  const privileges = user === undefined ? null : workAs(findUser(user), options.home)
  const lock = await lockHome(lockPath(options.home), LOCK_WAIT_MS)
  try {
    const asked = stopAsked()
    const running = await start(options, true, privileges?.asRoot)
    privileges?.drop()
    const server = await running.sessions.listen()
    const { appliance } = running
    process.stdout.write(`Lychgate ${appliance.version} is running at ${appliance.home}. Ctrl-C or SIGTERM stops it.\n`)
    const signal = await asked
    say(`${signal}: stopping.`)
    setTimeout(() => {
      say('stopping took too long; ended.')
      process.exit(1)
    }, STOP_LIMIT_MS).unref()
    await server.close()
    await running.stop(STOP_GRACE_MS)
    return 0
  } finally {
    lock.release()
  }
}

/** The first signal asks for an orderly end, a second one of the same kind ends at once (Node's default). */
const stopAsked = (): Promise<string> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
    // A terminal that closes does not stop a service; nor does a reader of its output that goes away.
    process.on('SIGHUP', () => undefined)
    process.stdout.on('error', () => undefined)
  })
