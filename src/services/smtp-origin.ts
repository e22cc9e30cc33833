import { incomingRelays } from '../config/sections/incoming-relays.ts'
import type { IncomingRelay } from '../config/sections/incoming-relays.ts'
import { originOf, relayOf } from '../mail/smtp/incoming-relay.ts'
import type { Identity } from './smtp-admission.ts'
import type { SmtpConnectionDeps } from './smtp-connection-deps.ts'

/** Whose message it is, for everything that judges it. */
export type Origin = Pick<Identity, 'address' | 'name'>

/** The incoming relay that a client is; null = the client speaks for itself. */
export const incomingRelay = (deps: Pick<SmtpConnectionDeps, 'config'>, address: string): IncomingRelay | null => {
  const { enabled, relays } = deps.config.get(incomingRelays)
  return enabled ? relayOf(relays, address) : null
}

/** The client that a relay names in its header, or the relay itself when it names none; says which in the log. */
export const originOfMessage = async (
  deps: Pick<SmtpConnectionDeps, 'events' | 'identify'>,
  { name, ...relay }: IncomingRelay,
  own: Origin,
  mid: number,
  bytes: Buffer,
): Promise<Origin> => {
  const told = { type: 'message.incoming-relay', mid, relay: name, header: relay.header } as const
  const origin = originOf({ name, ...relay }, bytes)
  if (origin.kind !== 'found') {
    const found = origin.kind === 'no-header' ? 'nothing' : 'header'
    deps.events.publish({ ...told, found, address: null, reputation: '' })
    return own
  }
  const identity = await deps.identify(origin.address)
  const { address, reputation, country } = identity
  deps.events.publish({ ...told, found: 'address', address, reputation, country })
  return identity
}
