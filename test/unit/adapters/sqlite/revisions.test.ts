import Database from '../../../../src/adapters/sqlite/better-sqlite3.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteDatabase, SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { REVISION_MIGRATIONS, createRevisionStore } from '../../../../src/adapters/sqlite/revisions.ts'
import { freshPath, removeTestConfig } from '../../../support/config-store.ts'

let path: string
let writer: SqliteWriter
let database: SqliteDatabase
beforeEach(async () => {
  path = freshPath()
  writer = inlineWriter()
  database = await writer.open(path, REVISION_MIGRATIONS)
})
afterEach(async () => {
  await writer.close()
  removeTestConfig(path)
})

const revision = (number: number, kept = true) => ({
  number,
  at: new Date(1_648_597_428_000 + number),
  user: 'admin',
  comment: `c${number}`,
  kept,
  sections: ['system', 'sdr'],
  document: `{"n":${number}}`,
})
const AUDIT = { action: 'commit', detail: 'system sdr' } as const

test('a revision comes back as it was appended, with its audit row', async () => {
  const store = createRevisionStore(database)
  await store.append(revision(1), AUDIT)
  expect(store.read(1)).toEqual(revision(1))
  expect(store.read(2)).toBeUndefined()
  expect(database.all('SELECT user, action, revision, detail FROM audit')).toEqual([
    { user: 'admin', action: 'commit', revision: 1, detail: 'system sdr' },
  ])
})

test('lists are newest first, of all or of the kept, and since tells the later ones', async () => {
  const store = createRevisionStore(database)
  for (let n = 1; n <= 6; n++) await store.append(revision(n, n % 2 === 0), AUDIT)
  expect(store.list(2, false).map((r) => r.number)).toEqual([6, 5])
  expect(store.list(9, true).map((r) => r.number)).toEqual([6, 4, 2])
  expect(store.since(4).map((r) => r.number)).toEqual([6, 5])
})

test('a number that is taken is refused, and neither revision nor audit row is kept', async () => {
  const store = createRevisionStore(database)
  await store.append(revision(1), AUDIT)
  await expect(store.append({ ...revision(1), comment: 'other' }, AUDIT)).rejects.toThrow('UNIQUE')
  expect(store.read(1)?.comment).toBe('c1')
  expect(database.all('SELECT id FROM audit')).toHaveLength(1)
})

test('revisions and audit rows cannot be altered', async () => {
  await createRevisionStore(database).append(revision(1), AUDIT)
  await expect(database.write([{ sql: "UPDATE revisions SET user = 'x'" }])).rejects.toThrow('never altered')
  await expect(database.write([{ sql: "UPDATE audit SET user = 'x'" }])).rejects.toThrow('never altered')
})

test('a document that does not match its checksum has no text', async () => {
  const store = createRevisionStore(database)
  await store.append(revision(1), AUDIT)
  const other = new Database(path)
  other.exec("DROP TRIGGER revisions_are_never_altered; UPDATE revisions SET document = '{}'")
  other.close()
  expect(store.read(1)?.document).toBeNull()
})

test('beyond a thousand the oldest go, but not the ten that rollback offers', async () => {
  const store = createRevisionStore(database)
  await store.append(revision(1, true), AUDIT)
  await store.append(revision(2, false), AUDIT)
  await store.append(revision(1500, false), AUDIT)
  expect(store.list(9, false).map((r) => r.number)).toEqual([1500, 1])
})
