import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { UserError, errorText } from '../../core/errors.ts'

/**
 * One appliance per home: a file that names the process that holds it. A process that died without removing it is
 * told from a living one by its start time as well, because process ids are used again.
 */
export interface HomeLock {
  release(): void
}

const RETRY_MS = 100

/** `pid starttime`; the start time (ticks since boot, proc(5) field 22) only where /proc has it. */
const identity = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name and may hold blanks: count behind its bracket.
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return String(pid)
  }
}

const alive = (holder: string): boolean => {
  const pid = Number(holder.split(' ')[0])
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return identity(pid) === holder
}

const read = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}

/** Parents first: where a file system takes no folders (/proc), mkdir's own recursion never ends (Node 20). */
const makeFolder = (path: string): void => {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Takes the lock, waiting up to `waitMs` for a holder that goes away. @throws UserError when it stays. */
export const lockHome = async (path: string, waitMs: number): Promise<HomeLock> => {
  const mine = identity(process.pid)
  const temporary = `${path}.${process.pid}`
  try {
    makeFolder(dirname(path))
    writeFileSync(temporary, `${mine}\n`, { mode: 0o600 })
  } catch (error) {
    throw new UserError(
      `The home directory ${dirname(path)} cannot be used (${errorText(error)}); choose one of your own with --home.`,
    )
  }
  try {
    for (let waited = 0; ; waited += RETRY_MS) {
      const holder = take(path, temporary)
      if (holder === null) break
      if (waited >= waitMs)
        throw new UserError(
          `Another lychgate (process ${holder.split(' ')[0]}) uses ${dirname(path)}; stop it or choose another --home.`,
        )
      await delay(RETRY_MS)
    }
  } finally {
    rmSync(temporary, { force: true })
  }
  return {
    release: () => {
      if (read(path) === mine) rmSync(path, { force: true })
    },
  }
}

/** null = taken; else the living holder. */
const take = (path: string, temporary: string): string | null => {
  try {
    // A link appears whole or not at all, and never over another.
    linkSync(temporary, path)
    return null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const holder = read(path)
  if (holder !== null && alive(holder)) return holder
  // Moved away rather than removed: if somebody else took the lock since we read it, it goes back.
  const aside = `${temporary}.stale`
  try {
    renameSync(path, aside)
    if (read(aside) !== holder) linkSync(aside, path)
    rmSync(aside, { force: true })
  } catch {
    // Another process cleans up at the same moment; look again.
  }
  return take(path, temporary)
}
