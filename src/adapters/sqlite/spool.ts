import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { errorText, Fault } from '../../core/errors.ts'
import type { DeliveryQueue, NewSpoolEntry, SpoolEntry, SpoolStore } from '../../store/spool.ts'
import type { DurableFile, SqliteDatabase, Statement, StatementResult } from './database.ts'
import { deliveryStatements, entryStatements, toEntry, toQueued, toState } from './spool-rows.ts'
import type { EntryRow, QueueRow } from './spool-rows.ts'
import { syncDirectory } from './sync-directory.ts'
import { createMoving } from './spool-moving.ts'
import type { Moving } from './spool-moving.ts'

/** Bigger bodies lie as files beside the database, so that its pages and log stay small. */
const INLINE_BYTES = 262_144
/** Of messages that move, read from memory instead of the disk. */
const MOVING_BYTES = 67_108_864

export interface SpoolOptions {
  /** Opened with SPOOL_MIGRATIONS. */
  readonly database: SqliteDatabase
  /** `<home>/spool`: `bodies/` and `corrupt/` lie in it. */
  readonly directory: string
  readonly clock: Clock
  /** Told after a corrupt entry was set aside, so that an alert can be raised. */
  readonly onSetAside?: (mid: number, reason: string) => void
}

interface BodyRow {
  readonly bytes: Uint8Array | null
  readonly file: string | null
  readonly sha256: string
}

const ENTRY = 'SELECT mid, state, body, resume_at, quarantine, reason, since, until, meta, meta_sum FROM entry'
const QUEUE = 'SELECT mid, rid, address, domain, attempts, next_at, queued_at, last_error FROM queue'

const OUT_OF_QUEUE = 'DELETE FROM queue WHERE (mid, rid) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))'
const DROP_ALL_FINISHED =
  'DELETE FROM entry WHERE mid IN (SELECT value FROM json_each(?)) ' +
  'AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.mid = entry.mid) RETURNING mid'
const DROP_ALL_BODIES =
  'DELETE FROM body WHERE id IN (SELECT value FROM json_each(?)) ' +
  'AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.body = body.id) RETURNING file'

const DROP_FINISHED: Pick<Statement, 'sql'> = {
  sql: 'DELETE FROM entry WHERE mid = ? AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.mid = entry.mid) RETURNING mid',
}
const DROP_BODY: Pick<Statement, 'sql'> = {
  sql: 'DELETE FROM body WHERE id = ? AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.body = body.id) RETURNING file',
}

/** Opens the spool: removes body files that no entry names (a crash between sync and commit, or commit and removal). */
export const createSpoolStore = (options: SpoolOptions): SpoolStore & DeliveryQueue & { readonly moving: Moving } => {
  const { database: db, clock } = options
  const bodies = join(options.directory, 'bodies')
  const corrupt = join(options.directory, 'corrupt')
  for (const folder of [bodies, corrupt]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  syncDirectory(options.directory)
  removeOrphans(db, bodies)
  const moving = createMoving(MOVING_BYTES)
  let lastBody = db.get<{ last: number | null }>('SELECT max(id) AS last FROM body')?.last ?? 0

  const stored = (bytes: Uint8Array): { id: number; statement: Statement; file: DurableFile | null } => {
    const id = ++lastBody
    const big = bytes.length > INLINE_BYTES
    const params = [id, big ? null : bytes, big ? `${id}.body` : null, hash('sha256', bytes)]
    return {
      id,
      statement: { sql: 'INSERT INTO body (id, bytes, file, sha256) VALUES (?, ?, ?, ?)', params },
      file: big ? { path: join(bodies, `${id}.body`), bytes } : null,
    }
  }

  const write = async (statements: readonly Statement[], files: readonly DurableFile[] = []) => {
    try {
      return await db.write(statements, files)
    } catch (error) {
      // Nothing of the batch was kept; what lies there of its files (disk full) would only take more room.
      for (const { path } of files) await unlink(path).catch(() => undefined)
      throw error
    }
  }

  /** Files go only after the commit that no longer needs them; what a crash leaves is an orphan of the next start. */
  const removeFiles = async (results: readonly StatementResult[]): Promise<void> => {
    for (const row of results.flatMap((r) => r.rows))
      if (typeof row['file'] === 'string') await unlink(join(bodies, row['file'])).catch(() => undefined)
  }

  const bodyOf = (mid: number): number | undefined =>
    moving.get(mid)?.body ?? db.get<{ body: number }>('SELECT body FROM entry WHERE mid = ?', mid)?.body

  /** Small bodies: a file is read when it is wanted. */
  const inMemory = (bytes: Uint8Array | null): Buffer | null =>
    !bytes || bytes.length > INLINE_BYTES ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

  /** Ends the batch: the message goes when no recipient is left, its body when no other entry shares it. */
  const finish = async (mid: number, statements: readonly Statement[], files: readonly DurableFile[] = []) => {
    const body = bodyOf(mid)
    const results = await write(
      [...statements, { ...DROP_FINISHED, params: [mid] }, { ...DROP_BODY, params: [body ?? -1] }],
      files,
    )
    await removeFiles(results)
    return (results.at(-2)?.rows.length ?? 0) > 0
  }

  const setAside = async (mid: number, reason: string): Promise<void> => {
    const row = db.get<EntryRow>(`${ENTRY} WHERE mid = ?`, mid)
    if (!row) return
    const bytes = await rawBody(row.body).catch(() => null)
    const queue = db.all<QueueRow>(`${QUEUE} WHERE mid = ?`, mid)
    const about = Buffer.from(JSON.stringify({ reason, entry: row, queue }))
    // On stable storage before the rows go.
    await finish(
      mid,
      [{ sql: 'DELETE FROM queue WHERE mid = ?', params: [mid] }],
      [
        ...(bytes ? [{ path: join(corrupt, `${mid}.eml`), bytes }] : []),
        { path: join(corrupt, `${mid}.json`), bytes: about },
      ],
    )
    moving.drop(mid)
    options.onSetAside?.(mid, reason)
  }

  const rawBody = async (id: number): Promise<Buffer | null> => {
    const row = db.get<BodyRow>('SELECT bytes, file, sha256 FROM body WHERE id = ?', id)
    if (row?.bytes) return Buffer.from(row.bytes)
    return row?.file ? await readFile(join(bodies, row.file)) : null
  }

  /** A corrupt envelope is set aside and left out, so that the others flow. */
  const readable = <T>(rows: readonly EntryRow[], map: (row: EntryRow, entry: SpoolEntry) => T): readonly T[] =>
    rows.flatMap((row) => {
      try {
        return [map(row, toEntry(row))]
      } catch (error) {
        void setAside(row.mid, errorText(error)).catch(() => undefined)
        return []
      }
    })

  /** Recipients have left the queue; without others the message has. */
  const leave = (mid: number, rids: readonly number[], finished: boolean): void => {
    if (finished) moving.drop(mid)
    else moving.done(mid, rids)
  }

  const nextDueAfter = (after: number): number | null =>
    db.get<{ at: number | null }>('SELECT min(next_at) AS at FROM queue WHERE next_at > ?', after)?.at ?? null

  const accept = async (entry: NewSpoolEntry, more: readonly Statement[] = []): Promise<void> => {
    if (!entry.body) throw new Fault('INTERNAL', `spool: MID ${entry.mid} was accepted without a body`)
    const { id, statement, file } = stored(entry.body)
    const now = clock.now().getTime()
    await write([...more, statement, ...entryStatements(entry, id, now)], file ? [file] : [])
    moving.put(entry, id, inMemory(entry.body), now)
  }

  return {
    accept: (entry) => accept(entry),
    acceptOnce: async (key, entry) => {
      const known = () => db.get<{ mid: number }>('SELECT mid FROM once WHERE key = ?', key)?.mid
      const earlier = known()
      if (earlier !== undefined) return earlier
      const params = [key, entry.mid, clock.now().getTime()]
      try {
        await accept(entry, [{ sql: 'INSERT INTO once (key, mid, at) VALUES (?, ?, ?)', params }])
        return entry.mid
      } catch (error) {
        const winner = known()
        if (winner === undefined) throw error
        return winner
      }
    },
    moving,
    entry: (mid) =>
      moving.get(mid)?.entry ?? readable(db.all<EntryRow>(`${ENTRY} WHERE mid = ?`, mid), (_row, entry) => entry)[0],
    state: (mid) => {
      const known = moving.get(mid)
      if (known) return known.state
      const row = db.get<EntryRow>(`${ENTRY} WHERE mid = ?`, mid)
      return row && toState(row)
    },
    body: async (mid) => {
      const known = moving.get(mid)
      if (known) return known.bytes
      const id = bodyOf(mid)
      const row =
        id === undefined ? undefined : db.get<BodyRow>('SELECT bytes, file, sha256 FROM body WHERE id = ?', id)
      if (!row) throw new Fault('STORE_CORRUPT', `spool: MID ${mid} has no body`)
      const bytes = await rawBody(id ?? -1).catch(() => null)
      if (!bytes || hash('sha256', bytes) !== row.sha256)
        throw new Fault('STORE_CORRUPT', `spool: the body of MID ${mid} does not match its checksum`)
      return bytes
    },
    work: (afterMid, limit) =>
      readable(
        db.all<EntryRow>(`${ENTRY} WHERE state = 'work' AND mid > ? ORDER BY mid LIMIT ?`, afterMid, limit),
        (_row, entry) => entry,
      ),
    workMids: (limit) => {
      const known = moving.work.mids(limit)
      if (known) return known
      const mids = db
        .all<{ mid: number }>(`SELECT mid FROM entry WHERE state = 'work' ORDER BY mid LIMIT ?`, limit)
        .map((r) => r.mid)
      moving.work.compare(mids, limit)
      return mids
    },
    replace: async (mid, entries) => {
      const old = bodyOf(mid)
      const now = clock.now().getTime()
      const bytes = moving.get(mid)?.bytes ?? null
      const files: DurableFile[] = []
      const stand: (readonly [NewSpoolEntry, number])[] = []
      const statements: Statement[] = [{ sql: 'DELETE FROM queue WHERE mid = ?', params: [mid] }]
      for (const entry of entries) {
        const body = entry.body ? stored(entry.body) : null
        if (body) statements.push(body.statement)
        if (body?.file) files.push(body.file)
        const id = body?.id ?? old
        if (id === undefined) throw new Fault('INTERNAL', `spool: MID ${mid} is not in the spool`)
        statements.push(...entryStatements(entry, id, now))
        stand.push([entry, id])
      }
      if (!entries.some((e) => e.mid === mid))
        statements.push({ sql: 'DELETE FROM entry WHERE mid = ?', params: [mid] })
      // The body is still needed when an entry goes on with it.
      if (!stand.some(([, id]) => id === old)) statements.push({ ...DROP_BODY, params: [old ?? -1] })
      const results = await write(statements, files)
      moving.drop(mid)
      for (const [entry, id] of stand) moving.put(entry, id, entry.body ? inMemory(entry.body) : bytes, now)
      await removeFiles(results)
    },
    due: (now, limit) =>
      db.all<QueueRow>(`${QUEUE} WHERE next_at <= ? ORDER BY next_at, mid LIMIT ?`, now.getTime(), limit).map(toQueued),
    nextDueAt: () => asDate(db.get<{ at: number | null }>('SELECT min(next_at) AS at FROM queue')?.at),
    queued: (mid) =>
      moving.get(mid)?.rows ?? db.all<QueueRow>(`${QUEUE} WHERE mid = ? ORDER BY rid`, mid).map(toQueued),
    dueDomains: (after, upTo) => {
      const known = moving.due.domains(after.getTime(), upTo.getTime())
      if (known) return known
      const domains = db
        .all<{ domain: string }>(
          'SELECT DISTINCT domain FROM queue INDEXED BY queue_due WHERE next_at > ? AND next_at <= ?',
          after.getTime(),
          upTo.getTime(),
        )
        .map((r) => r.domain)
      moving.due.looked(domains, upTo.getTime(), nextDueAfter(upTo.getTime()) ?? Infinity)
      return domains
    },
    dueFor: (domain, now, limit) => {
      const known = moving.due.of(domain, now.getTime(), limit)
      if (known) return known
      const rows = db
        .all<QueueRow>(
          `${QUEUE} INDEXED BY queue_domain WHERE domain = ? AND next_at <= ? ORDER BY next_at, mid, rid LIMIT ?`,
          domain,
          now.getTime(),
          limit,
        )
        .map(toQueued)
      moving.due.compare(domain, rows, limit)
      return rows
    },
    nextDueAfter: (after) => asDate(moving.due.next(after.getTime()) ?? nextDueAfter(after.getTime())),
    expired: (before, limit) =>
      db
        .all<QueueRow>(`${QUEUE} WHERE queued_at < ? ORDER BY queued_at, mid LIMIT ?`, before.getTime(), limit)
        .map(toQueued),
    delivered: async (deliveries) => {
      const mid = deliveries[0]?.mid
      if (mid === undefined) return false
      const finished = await finish(mid, deliveries.flatMap(deliveryStatements))
      leave(
        mid,
        deliveries.map((d) => d.rid),
        finished,
      )
      return finished
    },
    delay: async (mid, rids, until, error) => {
      await write(
        rids.map((rid) => ({
          sql: 'UPDATE queue SET attempts = attempts + 1, next_at = ?, last_error = ? WHERE mid = ? AND rid = ?',
          params: [until.getTime(), error, mid, rid],
        })),
      )
      moving.settle(mid, until.getTime())
    },
    discard: async (rows) => {
      const mids = JSON.stringify([...new Set(rows.map((r) => r.mid))])
      const bodies = db
        .all<{ body: number }>('SELECT DISTINCT body FROM entry WHERE mid IN (SELECT value FROM json_each(?))', mids)
        .map((r) => r.body)
      const results = await write([
        { sql: OUT_OF_QUEUE, params: [JSON.stringify(rows.map((r) => [r.mid, r.rid]))] },
        { sql: DROP_ALL_FINISHED, params: [mids] },
        { sql: DROP_ALL_BODIES, params: [JSON.stringify(bodies)] },
      ])
      const finished = new Set(results[1]?.rows.map((row) => Number(row['mid'])))
      for (const { mid, rid } of rows) leave(mid, [rid], finished.has(mid))
      await removeFiles(results.slice(2))
      return finished
    },
    bounce: async (mid, rids, dsn) => {
      const gone = rids.map((rid) => ({ sql: 'DELETE FROM queue WHERE mid = ? AND rid = ?', params: [mid, rid] }))
      if (!dsn?.body) {
        const finished = await finish(mid, gone)
        leave(mid, rids, finished)
        return finished
      }
      const { id, statement, file } = stored(dsn.body)
      const now = clock.now().getTime()
      const finished = await finish(mid, [...gone, statement, ...entryStatements(dsn, id, now)], file ? [file] : [])
      leave(mid, rids, finished)
      moving.put(dsn, id, inMemory(dsn.body), now)
      return finished
    },
    quarantined: (quarantine) => {
      const rows =
        quarantine === undefined
          ? db.all<EntryRow>(`${ENTRY} WHERE state = 'quarantined' ORDER BY mid`)
          : db.all<EntryRow>(`${ENTRY} WHERE state = 'quarantined' AND quarantine = ? ORDER BY mid`, quarantine)
      return readable(rows, (row, entry) => ({ ...entry, state: toState(row) })).flatMap((e) =>
        e.state.kind === 'quarantined' ? [{ ...e, state: e.state }] : [],
      )
    },
    gauges: () => {
      const states = db.all<{ state: string; n: number; bytes: number }>(
        'SELECT state, count(*) AS n, sum(size) AS bytes FROM entry GROUP BY state',
      )
      const of = (state: string) => states.find((s) => s.state === state)
      const oldest = (state: string) =>
        db.get<{ at: number }>('SELECT received_at AS at FROM entry WHERE state = ? ORDER BY mid LIMIT 1', state)?.at
      const times = [oldest('work'), oldest('queued')].filter((at) => at !== undefined)
      return {
        inWork: of('work')?.n ?? 0,
        queuedRecipients: db.get<{ n: number }>('SELECT count(*) AS n FROM queue')?.n ?? 0,
        attemptedRecipients:
          db.get<{ n: number }>('SELECT count(*) AS n FROM queue INDEXED BY queue_attempted WHERE attempts > 0')?.n ??
          0,
        quarantined: of('quarantined')?.n ?? 0,
        quarantinedBytes: of('quarantined')?.bytes ?? 0,
        bytes: states.reduce((sum, s) => sum + s.bytes, 0),
        oldestReceivedAt: times.length === 0 ? null : new Date(Math.min(...times)),
      }
    },
    setAside,
  }
}

const asDate = (at: number | null | undefined): Date | null =>
  at === null || at === undefined || at === Infinity ? null : new Date(at)

const removeOrphans = (db: SqliteDatabase, bodies: string): void => {
  const named = new Set(
    db.all<{ file: string }>('SELECT file FROM body WHERE file IS NOT NULL').map(({ file }) => file),
  )
  for (const file of readdirSync(bodies)) if (!named.has(file)) unlinkSync(join(bodies, file))
}
