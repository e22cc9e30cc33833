import type { Env } from '../core/env.ts'
import type { SmtpSending, SmtpTarget } from '../mail/delivery/transport.ts'

/** A session with a next hop that has sent `sent` messages. */
export interface Connection {
  readonly sending: SmtpSending
  readonly target: SmtpTarget
  readonly dcid: number
  /** For whose mail it was opened. */
  readonly domain: string
  sent: number
}

interface Idle {
  readonly connection: Connection
  readonly since: number
}

/**
 * Connections that wait for the next message to the same hop, a short while: reuse saves the handshakes. One that the host
 * has left in the meantime says so when it is to send.
 */
export const createConnectionPool = (deps: {
  readonly env: Env
  /** How long one waits; 0 = none is kept. */
  readonly keepMs: number
  /** It was ended, or found dead. */
  readonly closed: (connection: Connection) => void
}) => {
  const { clock } = deps.env
  const idle = new Map<string, Idle[]>()
  let sweeping = false
  let ended = false

  const end = (connection: Connection): void => {
    connection.sending.quit()
    deps.closed(connection)
  }

  const sweep = async (): Promise<void> => {
    sweeping = true
    while (idle.size > 0 && !ended) {
      await clock.sleep(deps.keepMs)
      const before = clock.monotonic() - deps.keepMs
      for (const [hop, list] of idle) {
        const kept = list.filter((i) => i.since > before && i.connection.sending.alive)
        for (const { connection } of list.filter((i) => !kept.includes(i))) end(connection)
        if (kept.length === 0) idle.delete(hop)
        else idle.set(hop, kept)
      }
    }
    sweeping = false
  }

  return {
    end,
    /** A live connection to the hop that has room for another message; null = open one. */
    take: (hop: string, messages: number): Connection | null => {
      for (;;) {
        const list = idle.get(hop)
        const connection = list?.pop()?.connection
        if (list?.length === 0) idle.delete(hop)
        if (!connection) return null
        if (connection.sent < messages && connection.sending.alive) return connection
        end(connection)
      }
    },
    give: (hop: string, connection: Connection, messages: number): void => {
      if (ended || deps.keepMs === 0 || connection.sent >= messages || !connection.sending.alive) return end(connection)
      const list = idle.get(hop)
      const waiting = { connection, since: clock.monotonic() }
      if (list) list.push(waiting)
      else idle.set(hop, [waiting])
      if (!sweeping) void sweep().catch(() => undefined)
    },
    close: (): void => {
      ended = true
      for (const list of idle.values()) for (const { connection } of list) end(connection)
      idle.clear()
    },
  }
}

export type ConnectionPool = ReturnType<typeof createConnectionPool>
