import { accessSync, constants, lchownSync, lstatSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError, errorText } from '../core/errors.ts'

/** Whom the appliance runs as once its ports are bound. */
export interface RunAs {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** An appliance that was started by root and works as somebody else. */
export interface Privileges {
  /** Runs `bind` as root: for a port below 1024. After `drop` it is just called. */
  readonly asRoot: <T>(bind: () => Promise<T>) => Promise<T>
  /** Gives root up for good. */
  drop(): void
}

/** @throws UserError when there is no such user, or it is root. */
export const findUser = (name: string, passwd: string = readFileSync('/etc/passwd', 'utf8')): RunAs => {
  for (const line of passwd.split('\n')) {
    const [user, , uid = '', gid = ''] = line.split(':')
    if (user !== name || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) continue
    if (Number(uid) === 0) throw new UserError(`--user ${name} is root; name a user without privileges.`)
    return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new UserError(`There is no user '${name}' in /etc/passwd; make one, for example with adduser --system ${name}.`)
}

/**
 * Gives what root owns below a directory to the user. Links are not followed, and a file with a second name is left alone:
 * it may be somebody else's that was linked here to be given away.
 */
export const giveAway = (path: string, user: Pick<RunAs, 'uid' | 'gid'>): void => {
  const stats = lstatSync(path)
  if (stats.isDirectory()) for (const name of readdirSync(path)) giveAway(join(path, name), user)
  if (stats.uid !== 0 || (stats.isFile() && stats.nlink > 1)) return
  lchownSync(path, user.uid, user.gid)
}

/** The system calls, replaced by tests. On Linux each acts on all threads of the process. */
export interface PrivilegeCalls {
  getuid(): number
  geteuid(): number
  initgroups(user: string, group: number): void
  setegid(id: number): void
  seteuid(id: number): void
  setgid(id: number): void
  setuid(id: number): void
}

/**
 * Goes on as `user` from here, with root in reserve for the ports: whatever is created belongs to the user at once.
 * @throws UserError when this process is not root, or the user cannot reach the home directory.
 */
export const workAs = (user: RunAs, home: string, calls = process as unknown as PrivilegeCalls): Privileges => {
  if (calls.getuid() !== 0) throw new UserError('--user needs root: start Lychgate as root, or without --user.')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  giveAway(home, user)
  calls.initgroups(user.name, user.gid)
  calls.setegid(user.gid)
  calls.seteuid(user.uid)
  try {
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new UserError(
      `The user ${user.name} cannot use the home directory ${home}: ${errorText(error)}. Give it to that user, or choose another --home.`,
    )
  }
  let dropped = false
  let inside = 0
  return {
    asRoot: async (bind) => {
      if (dropped) return await bind()
      if (inside++ === 0) calls.seteuid(0)
      try {
        return await bind()
      } finally {
        if (--inside === 0) calls.seteuid(user.uid)
      }
    },
    drop: () => {
      calls.seteuid(0)
      // What another thread may have made while a port was being bound.
      giveAway(home, user)
      calls.initgroups(user.name, user.gid)
      calls.setgid(user.gid)
      calls.setuid(user.uid)
      dropped = true
      if (calls.getuid() === 0 || calls.geteuid() === 0) throw new Error('root could not be given up')
    },
  }
}
