import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from '../adapters/sqlite/sync-directory.ts'
import type { Env } from '../core/env.ts'
import { UserError, errorText } from '../core/errors.ts'

/** Where things lie under `<home>`; everything is the owner's alone (umask 077). */
export interface Home {
  readonly root: string
  readonly db: (name: string) => string
  readonly keys: string
  readonly configuration: string
  readonly logs: string
  readonly spool: string
  readonly mailboxes: string
  readonly hold: string
  readonly intel: string
  readonly history: string
}

export const openHome = (root: string): Home => {
  const dir = (name: string): string => {
    const path = join(root, name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 })
    const db = dir('db')
    const home: Home = {
      root,
      db: (name) => join(db, `${name}.db`),
      keys: dir('keys'),
      configuration: dir('configuration'),
      logs: dir('logs'),
      spool: dir('spool'),
      mailboxes: dir('mailboxes'),
      hold: dir('hold'),
      intel: dir('intel'),
      history: dir('history'),
    }
    syncDirectory(root)
    return home
  } catch (error) {
    throw new UserError(`The home directory ${root} cannot be used: ${errorText(error)}.`)
  }
}

export interface Identity {
  /** `<20 hex>-<12 hex>`, the form of an AsyncOS serial number. */
  readonly serial: string
  readonly installedAt: Date
}

const read = (path: string): Identity | null => {
  try {
    const { serial, installedAt } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
    if (!/^[0-9A-F]{20}-[0-9A-F]{12}$/.test(serial ?? '')) return null
    return { serial: serial as string, installedAt: new Date(installedAt ?? 0) }
  } catch {
    return null
  }
}

/** Made on first start and kept: the service knows the device by its serial number. */
export const openIdentity = (home: Home, env: Env): Identity => {
  const path = join(home.root, 'identity.json')
  const known = read(path)
  if (known) return known
  const hex = Buffer.from(env.entropy.bytes(16)).toString('hex').toUpperCase()
  const identity: Identity = { serial: `${hex.slice(0, 20)}-${hex.slice(20)}`, installedAt: env.clock.now() }
  const draft = `${path}.${process.pid}`
  const fd = openSync(draft, 'w', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(identity)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  try {
    linkSync(draft, path)
  } catch {
    // Somebody else made it first, or it is damaged; both are settled below.
  }
  rmSync(draft)
  syncDirectory(home.root)
  const kept = read(path)
  if (!kept)
    throw new UserError(`The file ${path} is damaged. Restore it from a backup, or remove it for a new serial number.`)
  return kept
}
