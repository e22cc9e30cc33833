import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Fault, UserError, errorText } from '../../core/errors.ts'
import { isHostname } from '../../core/schema.ts'
import type { Diagnostics, ProgramName, ProgramWish } from '../../services/diagnostics.ts'

/** ICMP needs sockets that Node does not have: the programs of the system have them. Looked for here, not in PATH. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin']

/** A name is looked up in the family of the address that it is sent from. */
const from = (flag: string, source: string | null): readonly string[] =>
  source === null ? [] : [isIP(source) === 6 ? '-6' : '-4', flag, source]

const ARGUMENTS: Readonly<Record<ProgramName, (wish: ProgramWish) => readonly string[]>> = {
  ping: ({ host, count, source }) => [...from('-I', source), ...(count === null ? [] : ['-c', String(count)]), host],
  traceroute: ({ host, source }) => [...from('-s', source), host],
}
const PACKAGES: Readonly<Record<ProgramName, string>> = {
  ping: "the package 'iputils-ping' (Debian) or 'iputils' (Red Hat, Alpine)",
  traceroute: "the package 'traceroute'",
}
/** Enough for a day of pings. */
const LIMIT_MS = 86_400_000
/** `ping` prints its summary when it is interrupted; then it has to go. */
const GRACE_MS = 2000

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Runs programs of the system by argument vector, never through a shell, with an environment of our own. */
export const systemPrograms =
  (folders: readonly string[] = FOLDERS): Diagnostics['run'] =>
  (program, wish, signal) => {
    const { host, source } = wish
    // A host is one word that no program takes for an option.
    if (isIP(host) === 0 && !isHostname(host)) throw new UserError(`'${host}' is no host name and no IP address.`)
    if (source !== null && isIP(source) === 0) throw new UserError(`'${source}' is no IP address.`)
    const path = folders.map((folder) => join(folder, program)).find(isProgram)
    if (path === undefined)
      throw new UserError(`${program} is not installed on this machine: install ${PACKAGES[program]}.`)
    return linesOf(program, path, ARGUMENTS[program](wish), signal)
  }

async function* linesOf(
  program: ProgramName,
  path: string,
  words: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const child = spawn(path, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: FOLDERS.join(':'), LC_ALL: 'C' },
    timeout: LIMIT_MS,
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      reject(new Fault('UPSTREAM_UNAVAILABLE', `${program} cannot be run: ${errorText(error)}.`, { cause: error }))
    })
  })
  ended.catch(() => undefined)
  let kill: NodeJS.Timeout | undefined
  const stop = (): void => {
    child.kill('SIGINT')
    kill ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const complaints: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (complaints.length < 10) complaints.push(line)
  })
  try {
    for await (const line of createInterface({ input: child.stdout })) yield line
    await ended
    yield* complaints
  } finally {
    signal.removeEventListener('abort', stop)
    if (child.exitCode === null && child.signalCode === null) stop()
    void ended.catch(() => undefined).then(() => clearTimeout(kill))
  }
}
