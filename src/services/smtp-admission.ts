import type { Listener } from '../config/sections/listeners.ts'
import type { Clock } from '../core/clock.ts'
import type { Resolver } from '../core/resolver.ts'
import type { EventBus } from '../events/bus.ts'
import type { AddressScore } from '../intel/address-score.ts'
import { decideHost } from '../mail/smtp/host-access.ts'
import type { HostDecision, MailFlow } from '../mail/smtp/host-access.ts'
import { ownReply } from '../mail/smtp/replies.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import { locationText } from './geolocation.ts'
import type { Location } from './geolocation.ts'
import { createDnsLists } from './dns-lists.ts'
import { createReverseDns } from './reverse-dns.ts'
import type { ReverseName } from './reverse-dns.ts'
import type { SmtpClientInfo } from './smtp-connection-deps.ts'

/** What is known of a client when it is let in. */
export interface Admitted {
  readonly decision: HostDecision
  /** Still on its way when no entry of the table needed it. */
  readonly name: Promise<ReverseName>
  readonly score: Promise<AddressScore>
  /** As the connection's line shows it. */
  readonly country: string
}

/** Who an address is, for the messages that an incoming relay hands on. */
export interface Identity {
  readonly address: string
  readonly name: ReverseName
  /** As the connection's line shows it. */
  readonly reputation: string
  readonly country: string
}

/** Asks the Host Access Table about a client. Look-ups have time-outs of a second each; only those that an entry needs are waited for. */
export const createSmtpAdmission = (deps: {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly score: (address: string) => Promise<AddressScore>
  readonly locate: (address: string) => Location
}) => {
  const reverse = createReverseDns(deps.resolver, deps.clock)
  const lists = createDnsLists(deps.resolver, deps.clock)
  return {
    identify: async (address: string): Promise<Identity> => {
      const [name, score] = await Promise.all([reverse.lookup(address, SMTP_LIMITS.reverseMs), deps.score(address)])
      return { address, name, reputation: scoreText(score), country: locationText(deps.locate(address)) }
    },
    admit: async (listener: Listener, address: string): Promise<Admitted> => {
      const name = reverse.lookup(address, SMTP_LIMITS.reverseMs)
      const score = deps.score(address)
      const location = deps.locate(address)
      const decision = await decideHost(listener, {
        address,
        reverse: () => name,
        score: () => score,
        listed: (zone) => lists.listed(address, zone),
        country: () => (location.kind === 'country' ? location.code : null),
      })
      return { decision, name, score, country: locationText(location) }
    },
  }
}

/** As the connection's line shows it. */
export const scoreText = (score: AddressScore): string => {
  switch (score.kind) {
    case 'score':
      return score.score.toFixed(1)
    case 'none':
      return 'None'
    case 'private':
      return 'rfc1918'
    case 'unavailable':
      return 'unable to retrieve'
  }
}

/** The two lines with which a connection begins. */
export const tellArrival = (
  events: EventBus,
  client: SmtpClientInfo,
  { host, verified }: ReverseName,
  reputation: string,
): void => {
  const { icid, listener, remoteAddress, admitted } = client
  const { senderGroup, match, flow } = admitted.decision
  events.publish({
    type: 'connection.opened',
    icid,
    listener: listener.name,
    interfaceName: listener.interfaceName,
    interfaceAddress: listener.address,
    remoteAddress,
    reverseHost: host,
    reverseVerified: verified,
  })
  events.publish({
    type: 'connection.policy',
    icid,
    behaviour: flow.behaviour,
    senderGroup,
    match,
    reputation,
    country: admitted.country,
  })
}

/** What a client with the behaviour REJECT hears. */
export const rejection = (
  { rejectCode, rejectText }: MailFlow,
  { hostname, remoteAddress }: Pick<SmtpClientInfo, 'hostname' | 'remoteAddress'>,
): string => ownReply(rejectCode, rejectText, '7.1', `${hostname} refuses mail from ${remoteAddress}`)
