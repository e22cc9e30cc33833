import { splitAddress } from '../../core/mailbox-path.ts'
import type { NewSpoolEntry, QueuedRecipient, SpoolEntry, SpoolState } from '../../store/spool.ts'

/**
 * What moves through the spool now, in memory beside the rows on disk: a message that arrives, is scanned and goes on within
 * a second is read from the database never. Rows are the truth; this follows them once a commit has been answered, and what
 * does not fit here is read from them.
 */
export interface MovingMessage {
  readonly entry: SpoolEntry
  readonly state: SpoolState
  readonly body: number
  readonly bytes: Buffer
  /** Recipients in the delivery queue, due since they came there. */
  readonly rows: readonly QueuedRecipient[]
}

/** Of an entry without its body; what is kept besides counts nothing. */
const ENTRY_BYTES = 2048
const FIRST = -1

export const createMoving = (limitBytes: number) => {
  const messages = new Map<number, MovingMessage>()
  const atWork = new Set<number>()
  /** Domain → MID → rows, in order of arrival. */
  const domains = new Map<string, Map<number, readonly QueuedRecipient[]>>()
  /** Domains with recipients that came since the last look, and when. */
  let arrived: { readonly domain: string; readonly at: number }[] = []
  /** Domains of which recipients may be due that are only on disk. */
  const onDisk = new Set<string>()
  let workOnDisk = true
  let lookedTo = FIRST
  /** No recipient that is only on disk becomes due between `lookedTo` and this. */
  let nextOnDisk = 0
  let held = 0

  const byDomain = (rows: readonly QueuedRecipient[]): ReadonlyMap<string, readonly QueuedRecipient[]> => {
    const [first] = rows
    if (first && rows.every((r) => r.domain === first.domain)) return new Map([[first.domain, rows]])
    const found = new Map<string, QueuedRecipient[]>()
    for (const row of rows) {
      const own = found.get(row.domain)
      if (own) own.push(row)
      else found.set(row.domain, [row])
    }
    return found
  }
  const listRows = (mid: number, rows: readonly QueuedRecipient[]): void => {
    for (const [domain, own] of byDomain(rows)) {
      const listed = domains.get(domain)
      if (listed) listed.set(mid, own)
      else domains.set(domain, new Map([[mid, own]]))
    }
  }
  const unlistRows = (mid: number, rows: readonly QueuedRecipient[]): void => {
    for (const { domain } of rows) {
      const listed = domains.get(domain)
      listed?.delete(mid)
      if (listed?.size === 0) domains.delete(domain)
    }
  }
  const leaveToDisk = (rows: readonly QueuedRecipient[]): void => {
    for (const row of rows) {
      onDisk.add(row.domain)
      const at = row.nextAttemptAt.getTime()
      if (at > lookedTo) nextOnDisk = Math.min(nextOnDisk, at)
    }
  }
  const drop = (mid: number): MovingMessage | undefined => {
    const message = messages.get(mid)
    if (!message) return undefined
    messages.delete(mid)
    atWork.delete(mid)
    unlistRows(mid, message.rows)
    held -= message.bytes.length + ENTRY_BYTES
    return message
  }

  return {
    get: (mid: number): MovingMessage | undefined => messages.get(mid),
    drop,

    /** An entry as it now stands on disk. `bytes` null = not in memory. */
    put: (given: NewSpoolEntry, body: number, bytes: Buffer | null, now: number): void => {
      const { state } = given
      const entry = envelopeOf(given)
      const rows = state.kind === 'queued' ? queuedRows(entry, now) : []
      const size = (bytes?.length ?? 0) + ENTRY_BYTES
      for (const { domain } of rows) if (arrived.at(-1)?.domain !== domain) arrived.push({ domain, at: now })
      if (!bytes || state.kind === 'quarantined' || held + size > limitBytes) {
        if (state.kind === 'work') workOnDisk = true
        leaveToDisk(rows)
        return
      }
      messages.set(entry.mid, { entry, state, body, bytes, rows })
      held += size
      if (state.kind === 'work') atWork.add(entry.mid)
      listRows(entry.mid, rows)
    },

    /** Recipients that have left the queue. */
    done: (mid: number, rids: readonly number[]): void => {
      const message = messages.get(mid)
      if (!message) return
      const rows = message.rows.filter((r) => !rids.includes(r.rid))
      if (rows.length === 0) return void drop(mid)
      unlistRows(mid, message.rows)
      messages.set(mid, { ...message, rows })
      listRows(mid, rows)
    },

    /** The message waits from now on, or was changed on disk by others: its recipients are there and due at `at`. */
    settle: (mid: number, at: number): void => {
      const message = drop(mid)
      if (at > lookedTo) nextOnDisk = Math.min(nextOnDisk, at)
      if (message) leaveToDisk(message.rows)
    },

    /** Recipients of a destination (null = of any) were made due on disk. */
    hurried: (domain: string | null, at: number): void => {
      nextOnDisk = Math.min(nextOnDisk, at)
      if (domain !== null) onDisk.add(domain)
    },

    work: {
      /** In the order in which they came; null = some are only on disk. */
      mids: (limit: number): readonly number[] | null => {
        if (workOnDisk) return null
        const mids: number[] = []
        for (const mid of atWork) {
          if (mids.length >= limit) break
          mids.push(mid)
        }
        return mids
      },
      /** The whole work queue as it is on disk: is all of it here? */
      compare: (mids: readonly number[], limit: number): void => {
        workOnDisk = mids.length >= limit || mids.some((mid) => !atWork.has(mid))
      },
    },

    due: {
      /** Domains that have had recipients due since `after`, when that can be told without the disk. */
      domains: (after: number, upTo: number): readonly string[] | null => {
        if (after !== lookedTo || nextOnDisk <= upTo) return null
        const found = new Set<string>()
        for (const { domain, at } of arrived) if (at > after && at <= upTo) found.add(domain)
        arrived = arrived.filter(({ at }) => at > upTo)
        lookedTo = upTo
        return [...found]
      },
      /** What the disk said instead, and when it has the next one. */
      looked: (found: readonly string[], upTo: number, next: number): void => {
        for (const domain of found) onDisk.add(domain)
        arrived = arrived.filter(({ at }) => at > upTo)
        lookedTo = upTo
        nextOnDisk = next
      },
      /** null = ask the disk. */
      of: (domain: string, now: number, limit: number): readonly QueuedRecipient[] | null => {
        if (lookedTo === FIRST || onDisk.has(domain)) return null
        const rows: QueuedRecipient[] = []
        for (const own of domains.get(domain)?.values() ?? []) {
          if (rows.length >= limit) break
          for (const row of own) if (row.nextAttemptAt.getTime() <= now && rows.length < limit) rows.push(row)
        }
        return rows
      },
      /** What the disk said of a domain: is all that is due in memory? */
      compare: (domain: string, rows: readonly QueuedRecipient[], limit: number): void => {
        if (rows.length < limit && rows.every((r) => messages.has(r.mid))) onDisk.delete(domain)
      },
      /** When something becomes due after `after`; null = ask the disk. */
      next: (after: number): number | null => {
        if (after !== lookedTo) return null
        return Math.min(nextOnDisk, ...arrived.map(({ at }) => (at > after ? at : Infinity)))
      },
    },
  }
}
export type Moving = ReturnType<typeof createMoving>

type OptionalKeys = { [K in keyof SpoolEntry]-?: object extends Pick<SpoolEntry, K> ? K : never }[keyof SpoolEntry]

const withOptions = ({ state: _, body: __, ...entry }: NewSpoolEntry): SpoolEntry => entry

/** Without state and body, each member by name: a rest of so many costs more than keeping the message. */
const envelopeOf = (e: NewSpoolEntry): SpoolEntry => {
  const optional: { readonly [K in OptionalKeys]: SpoolEntry[K] } = { utf8: e.utf8, ret: e.ret, envid: e.envid }
  if (optional.utf8 !== undefined || optional.ret !== undefined || optional.envid !== undefined) return withOptions(e)
  return {
    mid: e.mid,
    rootMid: e.rootMid,
    icid: e.icid,
    receivedAt: e.receivedAt,
    listener: e.listener,
    direction: e.direction,
    sender: e.sender,
    recipients: e.recipients,
    helo: e.helo,
    remoteAddress: e.remoteAddress,
    reverseHost: e.reverseHost,
    reverseVerified: e.reverseVerified,
    senderGroup: e.senderGroup,
    connectionGuid: e.connectionGuid,
    messageGuid: e.messageGuid,
    messageId: e.messageId,
    subject: e.subject,
    size: e.size,
    trace: e.trace,
  }
}

/** The recipients of an entry as they come into the queue. */
export const queuedRows = ({ mid, recipients }: SpoolEntry, now: number): readonly QueuedRecipient[] => {
  const at = new Date(now)
  return recipients.map(({ rid, address }) => ({
    mid,
    rid,
    address,
    domain: splitAddress(address).domain.toLowerCase(),
    attempts: 0,
    nextAttemptAt: at,
    queuedAt: at,
    lastError: null,
  }))
}
