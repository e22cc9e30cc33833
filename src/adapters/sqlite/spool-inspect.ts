import { hash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from './better-sqlite3.ts'
import { Fault, errorText } from '../../core/errors.ts'
import type { QueuedRecipient, SpoolEntry, SpoolState } from '../../store/spool.ts'
import { SPOOL_MIGRATIONS } from './spool-schema.ts'
import { toEntry, toQueued, toState } from './spool-rows.ts'
import type { EntryRow, QueueRow } from './spool-rows.ts'

/** One message of a spool that no appliance uses; what is damaged is null, and `faults` says why. */
export interface InspectedMessage {
  readonly mid: number
  readonly state: SpoolState
  readonly receivedAt: Date
  readonly size: number
  readonly entry: SpoolEntry | null
  readonly queued: readonly QueuedRecipient[]
  readonly faults: readonly string[]
  /** The bytes as received; null when they cannot be read. What does not match its checksum is given all the same. */
  body(): { readonly bytes: Buffer | null; readonly fault: string | null }
}

export interface SpoolInspection {
  /** In the order of their MIDs. */
  messages(): Iterable<InspectedMessage>
  message(mid: number): InspectedMessage | undefined
  /** Faults of the database itself and of what lies beside it. */
  faults(): readonly string[]
  /** MIDs that were set aside earlier. */
  setAside(): readonly string[]
  close(): void
}

interface Row extends EntryRow {
  readonly received_at: number
  readonly size: number
}

const MAX_FAULTS = 100

const readDirectory = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Opens a spool for reading only, whatever state a crash has left it in. @throws Fault when it is no spool of ours. */
export const inspectSpool = (path: string, directory: string): SpoolInspection => {
  // Not `readonly`: after a crash SQLite must first bring in what stands in the write-ahead log.
  const db = new Database(path, { fileMustExist: true })
  try {
    db.pragma('busy_timeout = 5000')
    const version = db.pragma('user_version', { simple: true }) as number
    if (version < 1 || version > SPOOL_MIGRATIONS.length)
      throw new Fault('STORE_CORRUPT', `spool: ${path} has version ${version}, which this program does not know`)
    db.pragma('query_only = ON')
  } catch (error) {
    db.close()
    throw error
  }
  const entries = 'SELECT * FROM entry'
  const bodyRow = db.prepare<[number], { bytes: Uint8Array | null; file: string | null; sha256: string }>(
    'SELECT bytes, file, sha256 FROM body WHERE id = ?',
  )
  const queueRows = db.prepare<[number], QueueRow>('SELECT * FROM queue WHERE mid = ? ORDER BY rid')
  const nextRow = db.prepare<[number], Row>(`${entries} WHERE mid > ? ORDER BY mid LIMIT 1`)
  const oneRow = db.prepare<[number], Row>(`${entries} WHERE mid = ?`)

  const bodyOf = (id: number): { bytes: Buffer | null; fault: string | null } => {
    try {
      const row = bodyRow.get(id)
      if (!row) return { bytes: null, fault: 'its body is missing' }
      const bytes = row.file === null ? Buffer.from(row.bytes ?? []) : readFileSync(join(directory, 'bodies', row.file))
      return { bytes, fault: hash('sha256', bytes) === row.sha256 ? null : 'its body does not match its checksum' }
    } catch (error) {
      return { bytes: null, fault: `its body cannot be read: ${errorText(error)}` }
    }
  }

  const inspect = (row: Row): InspectedMessage => {
    const faults: string[] = []
    let entry: SpoolEntry | null = null
    try {
      entry = toEntry(row)
    } catch {
      faults.push('its envelope does not match its checksum')
    }
    const queued = queueRows.all(row.mid).map(toQueued)
    if (row.state === 'queued' && queued.length === 0) faults.push('it is queued without a recipient')
    if (row.state !== 'queued' && queued.length > 0) faults.push(`it has recipients in the queue in state ${row.state}`)
    return {
      mid: row.mid,
      state: toState(row),
      receivedAt: new Date(row.received_at),
      size: row.size,
      entry,
      queued,
      faults,
      body: () => bodyOf(row.body),
    }
  }

  return {
    *messages() {
      // Row by row: a statement that stays open would keep everything else from reading.
      for (let row = nextRow.get(0); row; row = nextRow.get(row.mid)) yield inspect(row)
    },
    message: (mid) => {
      const row = oneRow.get(mid)
      return row && inspect(row)
    },
    faults: () => {
      const structure = db
        .prepare<[], { integrity_check: string }>(`PRAGMA integrity_check(${MAX_FAULTS})`)
        .all()
        .map((row) => row.integrity_check)
      const orphans = db
        .prepare<[], { mid: number; rid: number }>(
          'SELECT mid, rid FROM queue WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.mid = queue.mid) LIMIT 100',
        )
        .all()
      const named = db.prepare<[string], { id: number }>('SELECT id FROM body WHERE file = ?')
      return [
        ...structure.filter((line) => line !== 'ok').map((line) => `database: ${line}`),
        ...orphans.map(({ mid, rid }) => `queue: RID ${rid} of MID ${mid} has no message`),
        ...readDirectory(join(directory, 'bodies'))
          .filter((file) => !named.get(file))
          .map((file) => `bodies/${file}: no message names it (the next start removes it)`),
      ]
    },
    setAside: () =>
      readDirectory(join(directory, 'corrupt'))
        .filter((file) => file.endsWith('.json'))
        .map((file) => file.slice(0, -'.json'.length)),
    close: () => db.close(),
  }
}
