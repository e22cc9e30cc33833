import type { AuthContext, Connection, ParsedKey, PublicKeyAuthContext } from 'ssh2'
import { USER_NAME } from '../config/sections/users.ts'
import type { User } from '../config/sections/users.ts'
import { printableCut } from '../core/text.ts'
import type { Accounts } from '../services/accounts.ts'

/** Passphrases and key signatures that one connection may try; keys that are only offered cost less. */
const MAX_TRIES = 6
const MAX_OFFERS = 24
const METHODS = ['publickey' as const, 'password' as const]

export interface SshAuthOptions {
  readonly accounts: Accounts
  readonly from: string
  readonly parseKey: (blob: Buffer) => ParsedKey | null
  readonly fault: (error: unknown) => void
}

/** Decides one connection's authentication. Answers who came in, once somebody did. */
export const authenticate = (connection: Connection, options: SshAuthOptions): { readonly user: () => User | null } => {
  const { accounts, from } = options
  const gone = new AbortController()
  let user: User | null = null
  let tries = 0
  let offers = 0
  let keysOnlyBy: string | null = null

  /** RFC 8332: a signature of an RSA key names its hash; without one it is SHA-1. */
  const goodAlgorithm = (ctx: PublicKeyAuthContext): boolean => ctx.key.algo !== 'ssh-rsa' || ctx.hashAlgo !== undefined

  const byKey = (ctx: PublicKeyAuthContext): boolean => {
    const holder = accounts.holder(ctx.username, ctx.key.data)
    if (holder === null || !goodAlgorithm(ctx)) {
      keysOnlyBy ??= ctx.username
      return false
    }
    if (ctx.signature === undefined || ctx.blob === undefined) return true
    const key = options.parseKey(ctx.key.data)
    if (key?.verify(ctx.blob, ctx.signature, ctx.hashAlgo) !== true) return false
    accounts.loggedInByKey(holder, from)
    user = holder
    return true
  }

  const decide = async (ctx: AuthContext): Promise<void> => {
    if (user !== null || tries >= MAX_TRIES || offers >= MAX_OFFERS) {
      connection.end()
      return
    }
    if (ctx.method === 'publickey') {
      offers++
      if (byKey(ctx)) ctx.accept()
      else ctx.reject(METHODS)
      return
    }
    if (ctx.method !== 'password') {
      ctx.reject(METHODS)
      return
    }
    tries++
    keysOnlyBy = null
    const name = USER_NAME.test(ctx.username) ? ctx.username : printableCut(ctx.username, 64)
    const who = await accounts.login({ name, passphrase: ctx.password, from, signal: gone.signal })
    // A second try may have been sent before the first was answered: who is in stays who is in.
    if (gone.signal.aborted || user !== null) return
    user = who
    if (who === null) ctx.reject(METHODS)
    else ctx.accept()
  }

  connection.on('authentication', (ctx) => {
    decide(ctx).catch((error: unknown) => {
      options.fault(error)
      connection.end()
    })
  })
  connection.once('close', () => {
    gone.abort(new Error('the connection is closed'))
    if (user === null && keysOnlyBy !== null && tries === 0) accounts.refusedKeys(printableCut(keysOnlyBy, 64), from)
  })
  return { user: () => user }
}
