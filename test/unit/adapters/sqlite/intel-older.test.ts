import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from '../../../../src/adapters/sqlite/better-sqlite3.ts'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { INTEL_MIGRATIONS } from '../../../../src/adapters/sqlite/intel-schema.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import { convertOlder } from '../../../../src/intel/service/convert.ts'
import { shortHash, urlRef } from '../../../../src/intel/url/hash.ts'
import { probeOf } from '../../../../src/intel/url/watch-keys.ts'
import type { IntelStore } from '../../../../src/store/repositories/intel.ts'
import { runIntelCommand } from '../../../../src/main/intel-serve.ts'
import { testEnv } from '../../../support/env.ts'

const SERIAL = 'GW-1'
const AT = Date.parse('2022-03-29T05:59:59Z')
const LATER = AT + 60_000

let home: string
let writers: SqliteWriter[]
let transactions: number

/** One process more over the same file. */
const open = async (): Promise<IntelStore> => {
  const writer = inlineWriter({ durable: false })
  writers.push(writer)
  const counting: SqliteWriter = {
    ...writer,
    open: async (path, migrations) => {
      const db = await writer.open(path, migrations)
      return {
        ...db,
        write: (...args) => {
          transactions++
          return db.write(...args)
        },
      }
    },
  }
  return await createIntelStore(counting, join(home, 'db', 'intel.db'))
}

/** A database as the version before hashes left it. */
const older = (submissions: number): void => {
  const db = new Database(join(home, 'db', 'intel.db'))
  db.exec(INTEL_MIGRATIONS[0] ?? '')
  db.pragma('user_version = 1')
  const opinion = db.prepare(
    `INSERT INTO opinions VALUES ('domain', ?, 'operator', 0, 'awful', NULL, NULL, '', 'a', ?)`,
  )
  for (const n of [1, 2, 3]) opinion.run(`bad${n}.example`, AT)
  const submission = db.prepare(`INSERT INTO submissions VALUES (NULL, ?, ?, ?, '', ?, ?)`)
  db.transaction(() => {
    for (let n = 1; n <= submissions; n++)
      submission.run(SERIAL, `e-${n}`, `http://h${n}.example/`, n === 1 ? AT : LATER, n === 2 ? LATER : null)
  })()
  db.close()
}
const left = (table: string): unknown => {
  const db = new Database(join(home, 'db', 'intel.db'), { readonly: true })
  try {
    return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  } finally {
    db.close()
  }
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-older-'))
  writers = []
  mkdirSync(join(home, 'db'))
  transactions = 0
})
afterEach(async () => {
  for (const writer of writers) await writer.close()
  rmSync(home, { recursive: true, force: true })
})

it('two processes that bring the same rows over take only what was read, and each row once', async () => {
  older(4)
  const [one, two] = [await open(), await open()]
  const read = one.older.submissions(2).map((r) => ({ ...r, ref: urlRef(r.url) }))
  const said = one.older.opinions(2).map((o) => ({ ...o, hash: shortHash(o.key), probe: probeOf(o.key) }))
  await two.older.moveSubmissions(two.older.submissions(2).map((r) => ({ ...r, ref: urlRef(r.url) })))
  await two.older.moveOpinions(
    two.older.opinions(2).map((o) => ({ ...o, hash: shortHash(o.key), probe: probeOf(o.key) })),
  )
  await two.opinions.remove({ hash: shortHash('bad1.example'), probe: probeOf('bad1.example') }, 'operator')
  await one.older.moveSubmissions(read)
  await one.older.moveOpinions(said)
  expect([left('submissions_1'), left('opinions_1')]).toEqual([2, 1])
  await Promise.all([convertOlder(one), convertOlder(two)])
  expect([left('submissions_1'), left('opinions_1')]).toEqual([0, 0])
  expect(one.observed.count(SERIAL)).toBe(4)
  expect(one.observed.partitions().flatMap((p) => one.observed.unindexed(p, 0, 9).map((r) => r.url))).toEqual(
    [1, 2, 3, 4].map((n) => `http://h${n}.example/`),
  )
  expect(one.retro.page(SERIAL, new Date(0), 9)).toMatchObject([{ emailId: 'e-2', at: new Date(LATER) }])
  // What the operator took back in the meantime does not come again.
  expect(one.opinions.ofSource('operator', 9).map((o) => o.key)).toEqual(['bad2.example', 'bad3.example'])
})

it('what has been said since then is not overwritten by what was said before', async () => {
  older(0)
  const store = await open()
  const [o] = store.older.opinions(1)
  if (!o) throw new Error('no opinion')
  const key = { hash: shortHash(o.key), probe: probeOf(o.key) }
  await store.opinions.put({ ...o, ...key, level: 'favorable' })
  await convertOlder(store)
  expect(store.opinions.ofSource('operator', 1)).toMatchObject([{ key: 'bad1.example', level: 'favorable' }])
})

it('1,200 submissions are brought over in three transactions', async () => {
  older(1200)
  const store = await open()
  await convertOlder(store)
  expect(store.observed.count(SERIAL)).toBe(1200)
  // One more for the three opinions.
  expect(transactions).toBe(4)
})

it('commands that neither ask nor change a verdict leave the old tables to the others', async () => {
  older(2)
  const run = (...args: string[]) =>
    runIntelCommand(args, {
      home,
      env: testEnv(),
      user: 'admin',
      print: () => undefined,
      signal: new AbortController().signal,
    })
  await run('devices')
  expect(left('submissions_1')).toBe(2)
  await run('show')
  expect(left('submissions_1')).toBe(0)
})
