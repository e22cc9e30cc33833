import type { NewObserved, ObservedStore, ObservedUrl } from '../../store/repositories/intel.ts'
import type { SqliteDatabase, Statement } from './database.ts'
import { jsonList } from './intel-opinions.ts'
import { observedTables } from './intel-schema.ts'

const PARTITION_MS = 6 * 3600_000
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

export const partitionOf = (at: Date): number => Math.floor(at.getTime() / PARTITION_MS)

interface Row {
  readonly id: number
  readonly device: number
  readonly email_id: string | Buffer
  readonly ref: Buffer | null
  readonly url: string | null
  readonly keys: Buffer | null
  readonly at: number
}

/** A UUID takes 16 bytes instead of 36. */
const unpackId = (id: string | Buffer): string =>
  typeof id === 'string' ? id : id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

/** `[UUID in hexadecimal, another id, ref, URL, keys]` */
const jsonItem = ({ emailId, ref, url, keys }: NewObserved): readonly (string | null)[] => {
  const isUuid = UUID.test(emailId)
  return [
    isUuid ? emailId.replaceAll('-', '') : null,
    isUuid ? null : emailId,
    ref,
    url,
    keys === null ? null : packKeys(keys).toString('hex'),
  ]
}

/** Number of index positions, the positions, the hashes. */
const packKeys = ({ hashes, index }: NonNullable<NewObserved['keys']>): Buffer => {
  const out = Buffer.alloc(1 + index.length + 8 * hashes.length)
  out.writeUInt8(index.length)
  index.forEach((position, i) => out.writeUInt8(position, 1 + i))
  hashes.forEach((hash, i) => out.writeBigInt64BE(hash, 1 + index.length + 8 * i))
  return out
}
const unpackKeys = (packed: Buffer): NonNullable<NewObserved['keys']> => {
  const count = packed.readUInt8()
  const hashes: bigint[] = []
  for (let at = 1 + count; at + 8 <= packed.length; at += 8) hashes.push(packed.readBigInt64BE(at))
  return { hashes, index: [...packed.subarray(1, 1 + count)] }
}

const COLUMNS = 'o.id, o.device, o.email_id, o.ref, o.url, o.keys, o.at'

export const sqliteObserved = (db: SqliteDatabase): ObservedStore => {
  const toObserved = (partition: number, r: Row): ObservedUrl => ({
    partition,
    id: r.id,
    device: r.device,
    emailId: unpackId(r.email_id),
    ref: r.ref?.toString('hex') ?? null,
    url: r.url,
    keys: r.keys === null ? null : unpackKeys(r.keys),
    at: new Date(r.at),
  })
  const partitions = (): readonly number[] =>
    db.all<{ number: number }>('SELECT number FROM observed_partitions ORDER BY number').map((r) => r.number)
  let newest = partitions().at(-1) ?? -1
  const gone = (partition: number): boolean =>
    db.get('SELECT 1 FROM observed_partitions WHERE number = ?', partition) === undefined
  /** Whoever prunes may be another process: a partition can go between two reads. Nothing of it counts any more. */
  const unlessGone = <T>(partition: number, nothing: T, read: () => T): T => {
    try {
      return read()
    } catch (error) {
      if (!gone(partition)) throw error
      return nothing
    }
  }
  const writeUnlessGone = async (partition: number, statement: Statement): Promise<void> => {
    try {
      await db.write([statement])
    } catch (error) {
      if (!gone(partition)) throw error
    }
  }

  const create = async (partition: number): Promise<void> => {
    await db.write([
      ...observedTables(partition).map((sql): Statement => ({ sql })),
      { sql: 'INSERT OR IGNORE INTO observed_partitions VALUES (?, 0)', params: [partition] },
    ])
    newest = Math.max(newest, partition)
  }

  return {
    append: async (serial, items, at) => {
      const partition = partitionOf(at)
      if (partition !== newest || gone(partition)) await create(partition)
      // One statement for all: each row by itself would cost more to hand over than to write.
      const results = await db.write([
        { sql: 'INSERT OR IGNORE INTO observers (serial) VALUES (?)', params: [serial] },
        {
          sql: `INSERT INTO observed_counts VALUES (?, (SELECT id FROM observers WHERE serial = ?), ?)
                ON CONFLICT DO UPDATE SET n = n + excluded.n`,
          params: [partition, serial, items.length],
        },
        {
          sql: `INSERT INTO observed_${partition} (device, email_id, ref, url, keys, at)
                SELECT d.id, coalesce(unhex(i.value ->> 0), i.value ->> 1), unhex(i.value ->> 2), i.value ->> 3,
                  unhex(i.value ->> 4), ? FROM observers d CROSS JOIN json_each(?) i WHERE d.serial = ? RETURNING id, device`,
          params: [at.getTime(), JSON.stringify(items.map(jsonItem)), serial],
        },
      ])
      const rows = (results[2]?.rows ?? []).map((r) => ({ id: Number(r['id']), device: Number(r['device']) }))
      rows.sort((a, b) => a.id - b.id)
      return items.map((item, n): ObservedUrl => ({ ...item, ...(rows[n] as (typeof rows)[number]), partition, at }))
    },
    count: (serial) =>
      db.get<{ n: number | null }>(
        'SELECT sum(n) AS n FROM observed_counts WHERE device = (SELECT id FROM observers WHERE serial = ?)',
        serial,
      )?.n ?? 0,
    partitions,
    urls: (partition, afterId, limit) =>
      unlessGone(partition, [], () =>
        db.all<{ id: number; url: string }>(
          `SELECT id, url FROM observed_${partition} WHERE id > ? AND url IS NOT NULL ORDER BY id LIMIT ?`,
          afterId,
          limit,
        ),
      ),
    unindexed: (partition, afterId, limit) =>
      unlessGone(partition, [], () =>
        db.all<Pick<Row, 'id' | 'url' | 'keys'>>(
          `SELECT id, url, keys FROM observed_${partition}
           WHERE id > max(?, (SELECT indexed_to FROM observed_partitions WHERE number = ?)) ORDER BY id LIMIT ?`,
          afterId,
          partition,
          limit,
        ),
      ).map(({ id, url, keys }) => ({ id, url, keys: keys === null ? null : unpackKeys(keys) })),
    index: async (partition, pairs) => {
      const sql = `INSERT OR IGNORE INTO observed_index_${partition} VALUES (?, ?)`
      await writeUnlessGone(partition, { sql, bulk: { width: 2, values: pairs } })
    },
    indexed: async (partition, id) => {
      await db.write([
        {
          sql: 'UPDATE observed_partitions SET indexed_to = max(indexed_to, ?) WHERE number = ?',
          params: [id, partition],
        },
      ])
    },
    find: (partition, probes, afterId, limit) => {
      const found = `FROM json_each(?) k CROSS JOIN observed_index_${partition} x ON x.hash = k.value AND x.id > ?
         CROSS JOIN observed_${partition} o ON o.id = x.id LIMIT ?`
      return unlessGone(partition, [], () =>
        db.all<Row>(`SELECT ${COLUMNS} ${found}`, jsonList(probes), afterId, limit),
      ).map((r) => toObserved(partition, r))
    },
    prune: async (before) => {
      const old = partitions().filter((p) => (p + 1) * PARTITION_MS <= before.getTime())
      for (const p of old)
        await db.write([
          { sql: `DROP TABLE IF EXISTS observed_${p}` },
          { sql: `DROP TABLE IF EXISTS observed_index_${p}` },
          { sql: 'DELETE FROM observed_counts WHERE partition = ?', params: [p] },
          { sql: 'DELETE FROM observed_partitions WHERE number = ?', params: [p] },
        ])
      return old.length
    },
  }
}
