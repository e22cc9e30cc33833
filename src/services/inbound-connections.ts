import type { EventBus } from '../events/bus.ts'

/** Remote hosts that have connections to a listener now. */
export interface InboundHost {
  readonly reverseHost: string | null
  readonly remoteAddress: string
  readonly listener: string
  readonly connections: number
}

export interface InboundConnections {
  /** Those with the most connections. */
  top(limit: number): readonly InboundHost[]
}

/** Follows the events of connections; as long as the listeners' limits allow. */
export const createInboundConnections = (events: EventBus): InboundConnections => {
  const open = new Map<number, Omit<InboundHost, 'connections'>>()
  events.subscribe((_at, event) => {
    if (event.type === 'connection.opened') {
      const { reverseHost, remoteAddress, listener } = event
      open.set(event.icid, { reverseHost, remoteAddress, listener })
    } else if (event.type === 'connection.closed') open.delete(event.icid)
  })
  return {
    top: (limit) => {
      const hosts = new Map<string, InboundHost>()
      for (const host of open.values()) {
        const key = `${host.listener}|${host.remoteAddress}`
        hosts.set(key, { ...host, connections: (hosts.get(key)?.connections ?? 0) + 1 })
      }
      return [...hosts.values()].sort((a, b) => b.connections - a.connections).slice(0, limit)
    },
  }
}
