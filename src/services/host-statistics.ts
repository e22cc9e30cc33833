import type { Clock } from '../core/clock.ts'
import { bounceKind } from '../events/bounce-kind.ts'
import type { BounceKind } from '../events/bounce-kind.ts'
import type { AttemptResult, SmtpTarget } from '../mail/delivery/transport.ts'

/** What happened to one destination since the appliance started. */
export interface HostFigures {
  readonly softBounced: number
  readonly hardBounced: Readonly<Record<BounceKind, number>>
  readonly delivered: number
  readonly deleted: number
  readonly connectionsOut: number
  readonly lastActivity: Date | null
  /** null = not tried since the start. */
  readonly up: boolean | null
  /** The addresses of the last look-up, in the order in which they are tried. */
  readonly addresses: readonly SmtpTarget[]
  readonly lookedUpAt: Date | null
  readonly lastRefusal: { readonly response: string; readonly at: Date } | null
}

export type HostOrder = 'connectionsOut' | 'delivered' | 'softBounced' | 'hardBounced'

export interface HostStatistics {
  of(destination: string): HostFigures | undefined
  /** The destinations with the highest figures, those with 0 left out. */
  top(order: HostOrder, limit: number): readonly { readonly destination: string; readonly figures: HostFigures }[]
}

/** Told by delivery as it happens. */
export interface HostRecorder extends HostStatistics {
  opened(destination: string): void
  closed(destination: string): void
  lookedUp(destination: string, addresses: readonly SmtpTarget[]): void
  settled(destination: string, result: AttemptResult): void
  deleted(destination: string, recipients: number): void
  tried(destination: string, reached: boolean): void
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Figures = Mutable<Omit<HostFigures, 'hardBounced'>> & { readonly hardBounced: Record<BounceKind, number> }

/** Destinations that are remembered; the one that was quiet for longest goes first. */
const MAX_HOSTS = 20_000

export const hardBounces = ({ hardBounced: { dns, refused, expired, other } }: HostFigures): number =>
  dns + refused + expired + other

const figure = (figures: HostFigures, order: HostOrder): number =>
  order === 'hardBounced' ? hardBounces(figures) : figures[order]

export const createHostStatistics = (clock: Pick<Clock, 'now'>): HostRecorder => {
  const hosts = new Map<string, Figures>()

  const active = (destination: string): Figures => {
    const known = hosts.get(destination)
    const figures = known ?? {
      softBounced: 0,
      hardBounced: { dns: 0, refused: 0, expired: 0, other: 0 },
      delivered: 0,
      deleted: 0,
      connectionsOut: 0,
      lastActivity: null,
      up: null,
      addresses: [],
      lookedUpAt: null,
      lastRefusal: null,
    }
    // The order of the map is the order of their last activity.
    if (known) hosts.delete(destination)
    hosts.set(destination, figures)
    if (hosts.size > MAX_HOSTS) hosts.delete(hosts.keys().next().value ?? '')
    return figures
  }

  return {
    of: (destination) => hosts.get(destination),
    top: (order, limit) =>
      [...hosts]
        .filter(([, figures]) => figure(figures, order) > 0)
        .sort(([, a], [, b]) => figure(b, order) - figure(a, order))
        .slice(0, limit)
        .map(([destination, figures]) => ({ destination, figures })),
    opened: (destination) => {
      active(destination).connectionsOut++
    },
    closed: (destination) => {
      const figures = active(destination)
      figures.connectionsOut = Math.max(0, figures.connectionsOut - 1)
    },
    lookedUp: (destination, addresses) => {
      Object.assign(active(destination), { addresses, lookedUpAt: clock.now() })
    },
    settled: (destination, result) => {
      const figures = active(destination)
      figures.lastActivity = clock.now()
      if (result.ok) figures.delivered++
      else if (!result.permanent) figures.softBounced++
      else figures.hardBounced[bounceKind(result.status, result.code)]++
      if (!result.ok && /^5/.test(result.code))
        figures.lastRefusal = { response: result.response, at: figures.lastActivity }
    },
    deleted: (destination, recipients) => {
      active(destination).deleted += recipients
    },
    tried: (destination, reached) => {
      active(destination).up = reached
    },
  }
}
