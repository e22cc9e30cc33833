import { Fault } from '../../core/errors.ts'
import type { Counters } from '../../store/spool.ts'
import type { SqliteDatabase } from './database.ts'

/**
 * Ids that are never given twice: a block is reserved on stable storage before its first id is given, so a kill -9 loses
 * the rest of a block and repeats nothing. A clean stop writes the last id given, so that the next start goes on exactly.
 */
const BLOCK = 4096

type Kind = 'mid' | 'icid' | 'dcid'
const KINDS: readonly Kind[] = ['mid', 'icid', 'dcid']
const RESERVE =
  'INSERT INTO counter (kind, reserved) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET reserved = excluded.reserved'

interface Block {
  last: number
  /** Ids up to here may be given: they are on stable storage. */
  reserved: number
  extending: Promise<void> | null
}

/** `close` keeps the count exact; without it the next start skips to the end of the reserved block. */
export const createCounters = async (db: SqliteDatabase): Promise<Counters & { close(): Promise<void> }> => {
  const blocks: Record<Kind, Block> = {
    mid: { last: 0, reserved: 0, extending: null },
    icid: { last: 0, reserved: 0, extending: null },
    dcid: { last: 0, reserved: 0, extending: null },
  }
  const store = async (kind: Kind, reserved: number): Promise<void> => {
    await db.write([{ sql: RESERVE, params: [kind, reserved] }])
  }
  for (const kind of KINDS) {
    const stored = db.get<{ reserved: number }>('SELECT reserved FROM counter WHERE kind = ?', kind)?.reserved ?? 0
    await store(kind, stored + BLOCK)
    blocks[kind] = { last: stored, reserved: stored + BLOCK, extending: null }
  }
  const extend = (kind: Kind, block: Block): void => {
    const reserved = block.reserved + BLOCK
    block.extending ??= store(kind, reserved)
      .then(() => {
        block.reserved = reserved
      })
      // Full or busy disk: the next id asks again; without ids left `next` refuses, and SMTP answers 4xx.
      .catch(() => undefined)
      .finally(() => {
        block.extending = null
      })
  }
  return {
    next: (kind) => {
      const block = blocks[kind]
      if (block.reserved - block.last < BLOCK / 2) extend(kind, block)
      if (block.last >= block.reserved) throw new Fault('STORE_BUSY', `no ${kind.toUpperCase()} is reserved`)
      return ++block.last
    },
    more: async (kind) => {
      extend(kind, blocks[kind])
      await blocks[kind].extending
    },
    current: (kind) => blocks[kind].last,
    close: async () => {
      for (const kind of KINDS) {
        await blocks[kind].extending
        await store(kind, blocks[kind].last)
      }
    },
  }
}
