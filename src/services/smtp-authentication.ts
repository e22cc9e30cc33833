import type { Credentials } from '../mail/smtp/sasl.ts'
import type { SmtpAnswer } from '../mail/smtp/session-types.ts'
import type { SmtpClientInfo, SmtpConnectionDeps } from './smtp-connection-deps.ts'

/** Checks what a client authenticates with; a check that cannot be made is told apart from a wrong passphrase. */
export const authenticate = async (
  { users, events }: Pick<SmtpConnectionDeps, 'users' | 'events'>,
  { icid, remoteAddress }: SmtpClientInfo,
  { mechanism, user, passphrase }: Credentials,
  signal: AbortSignal,
): Promise<SmtpAnswer> => {
  let ok: boolean
  try {
    ok = (await users?.check(user, passphrase, remoteAddress, signal)) ?? false
  } catch {
    return { accept: false, reply: '454 4.7.0 authentication is not possible at the moment' }
  }
  events.publish({ type: 'connection.auth', icid, user, mechanism, ok })
  return { accept: ok, reply: null }
}
