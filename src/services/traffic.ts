import type { ConfigReader } from '../config/section.ts'
import { listeners as listenersSection } from '../config/sections/listeners.ts'
import type { EventBus } from '../events/bus.ts'
import { destinationHost } from '../mail/delivery/route.ts'
import type { Suspension } from '../store/queue.ts'
import type { QueueHold } from './delivery-queue.ts'
import type { SmtpListeners } from './smtp-listeners.ts'
import type { Suspensions } from './suspensions.ts'
import type { WorkQueue } from './work-queue.ts'

/** Stops and starts receiving, work queue and delivery. Acts at once, and stays over a restart. */
export interface Traffic {
  suspended(what: Suspension['what']): readonly Suspension[]
  /** Resolves when the connections of these listeners have ended, which takes `graceMs` at most. */
  suspendReceiving(listeners: readonly string[], graceMs: number, by: string): Promise<void>
  resumeReceiving(listeners: readonly string[], by: string): Promise<void>
  /** '' = every domain. */
  suspendDelivery(domains: readonly string[], graceMs: number, by: string): Promise<void>
  resumeDelivery(domains: readonly string[], by: string): Promise<void>
  pauseWork(reason: string, by: string): Promise<void>
  resumeWork(by: string): Promise<void>
  /** As `status` shows it: `Online`, `Offline`, or what is suspended. */
  state(): string
}

export interface TrafficDeps {
  readonly suspensions: Suspensions
  readonly config: ConfigReader
  readonly events: EventBus
  readonly listeners: Pick<SmtpListeners, 'drain' | 'listening'>
  readonly hold: Pick<QueueHold, 'quiesce' | 'retry'>
  readonly workQueue: Pick<WorkQueue, 'wake'>
}

const REASON = 'suspended'

export const createTraffic = ({ suspensions, config, events, listeners, hold, workQueue }: TrafficDeps): Traffic => {
  const tell = (user: string, text: string): void => events.publish({ type: 'system.operated', user, text })
  const domainsText = (domains: readonly string[]): string => (domains.includes('') ? '' : ` to ${domains.join(', ')}`)

  const receiving = (): string | null => {
    const names = config.get(listenersSection).map((l) => l.name)
    const stopped = names.filter((name) => suspensions.receiving(name))
    if (stopped.length === 0) return null
    return stopped.length === names.length ? 'Receiving suspended' : `Receiving suspended for ${stopped.join(', ')}`
  }
  const delivery = (): string | null => {
    const names = suspensions.list('delivery').map((s) => s.name)
    if (names.length === 0) return null
    if (names.includes('')) return 'Delivery suspended'
    return `Delivery suspended for ${names.length === 1 ? names[0] : `${names.length} domains`}`
  }

  return {
    suspended: (what) => suspensions.list(what),
    suspendReceiving: async (names, graceMs, by) => {
      await suspensions.suspend('receiving', names, by, REASON)
      for (const name of names) tell(by, `Receiving suspended for ${name}.`)
      await listeners.drain(names, graceMs)
    },
    resumeReceiving: async (names, by) => {
      await suspensions.resume('receiving', names)
      for (const name of names) tell(by, `Receiving resumed for ${name}.`)
    },
    suspendDelivery: async (domains, graceMs, by) => {
      await suspensions.suspend('delivery', domains, by, REASON)
      tell(by, `Mail delivery${domainsText(domains)} suspended.`)
      const all = domains.includes('')
      await hold.quiesce((destination) => all || domains.includes(destinationHost(destination)), graceMs)
    },
    resumeDelivery: async (domains, by) => {
      await suspensions.resume('delivery', domains)
      tell(by, `Mail delivery${domainsText(domains)} resumed.`)
      hold.retry(null)
    },
    pauseWork: async (reason, by) => {
      await suspensions.suspend('work queue', [''], by, reason)
      tell(by, reason === '' ? 'Work queue paused.' : `Work queue paused: ${reason}`)
    },
    resumeWork: async (by) => {
      await suspensions.resume('work queue', [''])
      tell(by, 'Work queue resumed.')
      workQueue.wake()
    },
    state: () => {
      if (listeners.listening().length === 0) return 'Offline'
      const parts = [receiving(), delivery(), suspensions.workQueue() === null ? null : 'Work Queue Paused']
      if (parts[0] === 'Receiving suspended' && parts[1] === 'Delivery suspended') return 'Offline'
      const said = parts.filter((part) => part !== null)
      return said.length === 0 ? 'Online' : said.join(', ')
    },
  }
}
