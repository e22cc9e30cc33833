import type { Agent } from 'undici'
import type { Resolver } from '../../core/resolver.ts'
import { publicLookup } from './public-only.ts'
import type { AddressRule } from './public-only.ts'

/** Of connections to hosts that somebody else named. */
export interface PublicAgentOptions {
  readonly resolver: Resolver
  /** PEM of the only CA that is believed; the system's when it is missing. */
  readonly ca?: string
  /** Which addresses may be connected to; public ones when it is missing. */
  readonly isAllowed?: AddressRule
}

interface Limits {
  readonly connectMs: number
  /** Without a header, or without the next bytes of a body. */
  readonly silenceMs: number
  /** To one host. */
  readonly connections: number
}

/** Made when it is first needed: undici is slow to load. */
export const createPublicAgent = ({ resolver, ca, isAllowed }: PublicAgentOptions, limits: Limits) => {
  let agent: Promise<Agent> | null = null
  const make = async (): Promise<Agent> => {
    const { Agent: UndiciAgent } = await import('undici')
    return new UndiciAgent({
      connect: {
        timeout: limits.connectMs,
        lookup: publicLookup(resolver, isAllowed),
        ...(ca === undefined ? {} : { ca }),
      },
      headersTimeout: limits.silenceMs,
      bodyTimeout: limits.silenceMs,
      maxHeaderSize: 16_384,
      connections: limits.connections,
    })
  }
  return {
    get: (): Promise<Agent> => (agent ??= make()),
    close: async (): Promise<void> => {
      await (await agent)?.destroy()
    },
  }
}
