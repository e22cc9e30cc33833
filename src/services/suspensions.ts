import type { Clock } from '../core/clock.ts'
import { destinationHost } from '../mail/delivery/route.ts'
import type { Suspension, SuspensionStore } from '../store/queue.ts'

/** What is suspended now, asked for every connection and every delivery. */
export interface Suspensions {
  receiving(listener: string): boolean
  delivery(destination: string): boolean
  workQueue(): Suspension | null
  list(what: Suspension['what']): readonly Suspension[]
  /** Durable when it resolves. */
  suspend(what: Suspension['what'], names: readonly string[], by: string, reason: string): Promise<void>
  resume(what: Suspension['what'], names: readonly string[]): Promise<void>
}

export const createSuspensions = (store: SuspensionStore, clock: Pick<Clock, 'now'>): Suspensions => {
  const known = new Map<Suspension['what'], Map<string, Suspension>>()
  const of = (what: Suspension['what']): Map<string, Suspension> => {
    let names = known.get(what)
    if (!names) known.set(what, (names = new Map<string, Suspension>()))
    return names
  }
  for (const suspension of store.list()) of(suspension.what).set(suspension.name, suspension)
  return {
    receiving: (listener) => of('receiving').has(listener),
    delivery: (destination) => {
      const names = of('delivery')
      return names.size > 0 && (names.has('') || names.has(destinationHost(destination)))
    },
    workQueue: () => of('work queue').get('') ?? null,
    list: (what) => [...of(what).values()],
    suspend: async (what, names, by, reason) => {
      const made = names.map((name): Suspension => ({ what, name, by, reason, since: clock.now() }))
      await store.put(made)
      for (const suspension of made) of(what).set(suspension.name, suspension)
    },
    resume: async (what, names) => {
      await store.remove(what, names)
      for (const name of names) of(what).delete(name)
    },
  }
}
