import { setImmediate } from 'node:timers/promises'
import type { SyslogPush } from '../../config/sections/log-subscriptions.ts'
import { startTimer, withDeadline } from '../../core/deadline.ts'
import type { Env } from '../../core/env.ts'
import { errorText } from '../../core/errors.ts'
import type { SyslogHooks, SyslogNetwork, SyslogSender } from '../../logs/syslog.ts'
import { connectReason } from './connect-reason.ts'
import { openSyslogLink } from './syslog-link.ts'
import type { SyslogLink, SyslogLinkDeps } from './syslog-link.ts'

export interface SyslogDeps extends SyslogLinkDeps {
  readonly env: Env
}

/** What waits while a server is away. */
const MAX_MESSAGES = 10_000
const MAX_BYTES = 8 * 1024 * 1024
const BATCH = 64
const CONNECT_MS = 10_000
const WRITE_MS = 30_000
/** The first wait after a failure; it doubles up to the longest, and half of it is chance. */
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000
/** A connection that lasted as long was a good one: the next failure is news. */
const STEADY_MS = 30_000
/** A name's address is asked for anew after as long; a datagram does not tell that nobody is there. */
const RESOLVE_MS = 300_000
/** How long an ending appliance tries to get rid of what is buffered. */
const GRACE_MS = 2000

/** Messages in order; the oldest go when there are too many. */
const createBuffer = () => {
  let held: string[] = []
  let bytes = 0
  let dropped = 0
  const trim = (): void => {
    while (held.length > MAX_MESSAGES || bytes > MAX_BYTES) {
      bytes -= Buffer.byteLength(held.shift() ?? '')
      dropped++
    }
  }
  const weigh = (messages: readonly string[]): number => messages.reduce((sum, m) => sum + Buffer.byteLength(m), 0)
  return {
    add: (message: string): void => {
      held.push(message)
      bytes += Buffer.byteLength(message)
      trim()
    },
    take: (): readonly string[] => {
      const taken = held.splice(0, BATCH)
      bytes -= weigh(taken)
      return taken
    },
    putBack: (messages: readonly string[]): void => {
      held = [...messages, ...held]
      bytes += weigh(messages)
      trim()
    },
    /** Gives up what is held. */
    abandon: (): void => {
      dropped += held.length
      held = []
      bytes = 0
    },
    /** The number that were dropped since it was asked last. */
    dropped: (): number => {
      const n = dropped
      dropped = 0
      return n
    },
    get empty() {
      return held.length === 0
    },
  }
}

const openSender = (target: SyslogPush, hooks: SyslogHooks, deps: SyslogDeps): SyslogSender => {
  const { clock, entropy } = deps.env
  const buffer = createBuffer()
  const stopped = new AbortController()
  const { signal } = stopped
  let closing = false
  let failures = 0
  let wake: () => void = () => undefined

  /** Until there is something to send, or it ends. */
  const work = async (): Promise<void> => {
    if (!buffer.empty || closing) return
    await new Promise<void>((resolve) => (wake = resolve))
  }

  const tellLost = (): void => {
    const n = buffer.dropped()
    if (n > 0) hooks.lost(n)
  }

  /** Until it ends, or the connection has done its service. @throws what broke it; nothing that was not sent is gone */
  const sendAll = async (link: SyslogLink, age: () => number): Promise<void> => {
    for (let first = true; ; first = false) {
      await work()
      if (buffer.empty) return
      if (target.protocol === 'udp' && age() >= RESOLVE_MS) return
      if (link.ended) {
        // A server may hang up on who is silent: what comes now gets a new connection.
        if (age() >= STEADY_MS) return
        throw new Error('the server closed the connection')
      }
      const batch = buffer.take()
      try {
        await withDeadline(clock, WRITE_MS, signal, () => link.write(batch))
      } catch (error) {
        buffer.putBack(batch)
        throw error
      }
      if (first || buffer.empty) tellLost()
      // Mail goes on between batches.
      await setImmediate()
    }
  }

  /** One connection, from the first message to its end. */
  const session = async (): Promise<void> => {
    const own = new AbortController()
    const forward = (): void => own.abort(signal.reason)
    signal.addEventListener('abort', forward, { once: true })
    let openedAt = Number.POSITIVE_INFINITY
    const age = (): number => clock.monotonic() - openedAt
    try {
      const link = await withDeadline(clock, CONNECT_MS, signal, async (s) => {
        // Given up by then: whatever still opens is closed.
        s.addEventListener('abort', () => own.abort(s.reason), { once: true })
        return await openSyslogLink(target, deps, own.signal)
      })
      openedAt = clock.monotonic()
      await sendAll(link, age)
      if (age() >= STEADY_MS) failures = 0
      link.end()
    } catch (error) {
      own.abort(error)
      if (signal.aborted) return
      if (age() >= STEADY_MS) failures = 0
      failures++
      if (failures === 1) hooks.failing(connectReason(error))
      if (!closing) await backOff()
    } finally {
      signal.removeEventListener('abort', forward)
    }
  }

  const backOff = async (): Promise<void> => {
    const longest = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
    const ms = longest / 2 + entropy.int(longest / 2 + 1)
    await new Promise<void>((resolve) => {
      const cancel = startTimer(clock, ms, resolve)
      wake = () => {
        if (!closing) return
        cancel()
        resolve()
      }
    })
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await work()
      if (buffer.empty || (closing && failures > 0)) return
      await session()
    }
  }
  const running = run()

  return {
    send: (message) => {
      if (closing) return
      buffer.add(message)
      wake()
    },
    close: async () => {
      closing = true
      wake()
      const cancel = startTimer(clock, GRACE_MS, () => stopped.abort(new Error('stopped')))
      await running
      cancel()
      buffer.abandon()
      tellLost()
    },
  }
}

/** Sends log lines to syslog servers: RFC 3164 messages over UDP, TCP (a line each) or TLS (RFC 5425). */
export const createSyslog = (deps: SyslogDeps): SyslogNetwork => ({
  open: (target, hooks) => openSender(target, hooks, deps),
  problem: ({ protocol, caFile }) => {
    if (protocol !== 'tls' || caFile === null) return null
    try {
      deps.authorities(caFile)
      return null
    } catch (error) {
      return errorText(error)
    }
  },
})
