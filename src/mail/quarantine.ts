import { UserError } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { SpoolEntry, SpoolState, SpoolStore } from '../store/spool.ts'

export interface QuarantinedMessage {
  readonly entry: SpoolEntry
  readonly quarantine: string
  readonly reason: string
  readonly since: Date
  readonly until: Date
}

/** A message in quarantine is held, not lost: release goes on where it left the path. */
export interface QuarantineService {
  list(quarantine?: string): readonly QuarantinedMessage[]
  find(mid: number): QuarantinedMessage | undefined
  body(mid: number): Promise<Buffer>
  /** @throws UserError when `mid` is not in quarantine, or somebody releases or deletes it at this moment. */
  release(mid: number, how: 'manual' | 'expired'): Promise<void>
  delete(mid: number, how: 'manual' | 'expired'): Promise<void>
}

export interface QuarantineDeps {
  readonly spool: SpoolStore
  readonly events: EventBus
  /** A released message is back in the work queue. */
  readonly released: () => void
}

type Held = Extract<SpoolState, { kind: 'quarantined' }>

const present = (entry: SpoolEntry, state: Held): QuarantinedMessage => ({
  entry,
  quarantine: state.quarantine,
  reason: state.reason,
  since: state.since,
  until: state.until,
})

export const createQuarantine = ({ spool, events, released }: QuarantineDeps): QuarantineService => {
  const held = (mid: number): { readonly entry: SpoolEntry; readonly state: Held } | null => {
    const entry = spool.entry(mid)
    const state = spool.state(mid)
    return entry && state?.kind === 'quarantined' ? { entry, state } : null
  }
  /** Decided and not yet on stable storage: a second decision, the other way perhaps, comes too late. */
  const deciding = new Set<number>()
  const required = (mid: number): { readonly entry: SpoolEntry; readonly state: Held } => {
    const found = held(mid)
    if (!found) throw new UserError(`MID ${mid} is not in quarantine. See "quarantine list".`)
    return found
  }
  const decide = async (mid: number, act: (found: ReturnType<typeof required>) => Promise<void>): Promise<void> => {
    const found = required(mid)
    if (deciding.has(mid)) throw new UserError(`MID ${mid} is being released or deleted at this moment.`)
    deciding.add(mid)
    try {
      await act(found)
    } finally {
      deciding.delete(mid)
    }
  }
  return {
    list: (quarantine) => spool.quarantined(quarantine).map(({ state, ...entry }) => present(entry, state)),
    find: (mid) => {
      const found = held(mid)
      return found ? present(found.entry, found.state) : undefined
    },
    body: async (mid) => {
      required(mid)
      return spool.body(mid)
    },
    release: (mid, how) =>
      decide(mid, async ({ entry, state }) => {
        await spool.replace(mid, [{ ...entry, state: { kind: 'work', resumeAt: state.resumeAt }, body: null }])
        events.publish({ type: 'quarantine.released', mid, quarantine: state.quarantine, how })
        released()
      }),
    delete: (mid, how) =>
      decide(mid, async ({ state }) => {
        await spool.replace(mid, [])
        events.publish({ type: 'quarantine.deleted', mid, quarantine: state.quarantine, how })
        events.publish({ type: 'message.finished', mid })
      }),
  }
}
