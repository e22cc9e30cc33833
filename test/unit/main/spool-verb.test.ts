import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from '../../../src/adapters/sqlite/better-sqlite3.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockHome } from '../../../src/adapters/files/lock.ts'
import { inlineWriter } from '../../../src/adapters/sqlite/database.ts'
import { SPOOL_MIGRATIONS } from '../../../src/adapters/sqlite/spool-schema.ts'
import { createSpoolStore } from '../../../src/adapters/sqlite/spool.ts'
import { UserError } from '../../../src/core/errors.ts'
import { lockPath } from '../../../src/main/sessions.ts'
import { spool } from '../../../src/main/spool-verb.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { newEntry, temporaryHome } from '../../support/spool.ts'

let dir: ReturnType<typeof temporaryHome>
const path = (...parts: string[]) => join(dir.home, ...parts)

/** A spool with a queued message, one at work and one with a body of its own file. */
const fill = async () => {
  mkdirSync(path('db'))
  const writer = inlineWriter()
  const database = await writer.open(path('db', 'spool.db'), SPOOL_MIGRATIONS)
  const store = createSpoolStore({ database, directory: path('spool'), clock: new FakeClock() })
  await store.accept(newEntry(1, { state: { kind: 'queued' } }))
  await store.accept(newEntry(2))
  await store.accept(newEntry(3, { body: Buffer.alloc(300_000, 'x') }))
  await writer.close()
}
const damage = (sql: string): void => {
  const db = new Database(path('db', 'spool.db'))
  db.exec(sql)
  db.close()
}
const run = async (...words: string[]) => {
  const lines: string[] = []
  const status = await spool(words, dir.home, (line) => lines.push(line))
  return { status, lines }
}
beforeEach(async () => {
  dir = temporaryHome()
  await fill()
})
afterEach(() => dir.remove())

describe('lychgate spool check', () => {
  it('finds nothing in a sound spool', async () => {
    expect(await run('check')).toEqual({ status: 0, lines: ['3 messages checked, 0 damaged, 0 other faults.'] })
  })

  it('finds an envelope that was changed', async () => {
    damage(`UPDATE entry SET meta = replace(meta, 'alice', 'mallory') WHERE mid = 2`)
    const { status, lines } = await run('check')
    expect(lines[0]).toBe('MID 2: its envelope does not match its checksum')
    expect(status).toBe(1)
  })

  it('finds a changed body, in the database and in a file', async () => {
    damage(`UPDATE body SET bytes = CAST('other' AS BLOB) WHERE id = 1`)
    writeFileSync(path('spool', 'bodies', '3.body'), 'short')
    const { lines } = await run('check')
    expect(lines).toEqual([
      'MID 1: its body does not match its checksum',
      'MID 3: its body does not match its checksum',
      '3 messages checked, 2 damaged, 0 other faults.',
    ])
  })

  it('finds a queued message without recipients, and a body file without a message', async () => {
    damage('DELETE FROM queue')
    writeFileSync(path('spool', 'bodies', '77.body'), 'left over')
    const { lines } = await run('check')
    expect(lines).toEqual([
      'bodies/77.body: no message names it (the next start removes it)',
      'MID 1: it is queued without a recipient',
      '3 messages checked, 1 damaged, 1 other faults.',
    ])
  })

  it('says in one line that a file is no database', async () => {
    writeFileSync(path('db', 'spool.db'), 'x'.repeat(10_000))
    await expect(run('check')).rejects.toThrow(/^The spool cannot be read: /)
  })
})

describe('lychgate spool list', () => {
  it('shows every message in one printable line', async () => {
    const { lines } = await run('list')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toBe(
      'MID 1 2022-03-30T00:20:10.000Z 40 bytes, queued (1 recipients left), From: <alice@sender.example> To: <bob@example.com>',
    )
    expect(lines[1]).toContain('in the work queue')
  })
})

describe('lychgate spool export', () => {
  it('writes the message as it would be delivered, and what is known of it', async () => {
    const { status } = await run('export', path('out'), '1')
    expect(status).toBe(0)
    expect(readFileSync(path('out', '1.eml'), 'latin1')).toMatch(
      /^Received: [^]*\r\nSubject: hello\r\n\r\nThe body\.\r\n$/,
    )
    const about = JSON.parse(readFileSync(path('out', '1.json'), 'utf8')) as { queued: { address: string }[] }
    expect(about.queued.map((r) => r.address)).toEqual(['bob@example.com'])
    expect(existsSync(path('out', '2.eml'))).toBe(false)
  })

  it('writes damaged messages as far as they can be read', async () => {
    damage(`UPDATE body SET bytes = CAST('other' AS BLOB) WHERE id = 1`)
    const { status, lines } = await run('export', path('out'))
    expect(status).toBe(1)
    expect(lines.at(-1)).toBe(`3 messages written to ${path('out')}, 1 of them damaged.`)
    expect(readFileSync(path('out', '1.eml'), 'latin1')).toMatch(/other$/)
  })

  it('does not overwrite a file', async () => {
    await run('export', path('out'), '1')
    await expect(run('export', path('out'))).rejects.toThrow(UserError)
  })

  it('refuses an MID that is not there before it writes anything', async () => {
    await expect(run('export', path('out'), '1', '99')).rejects.toThrow('MID 99 is not in the spool.')
    expect(existsSync(path('out'))).toBe(false)
  })
})

describe('the spool tool', () => {
  it('refuses while an appliance holds the home, and leaves it free afterwards', async () => {
    const lock = await lockHome(lockPath(dir.home), 0)
    await expect(run('list')).rejects.toThrow(/^Another lychgate \(process \d+\) uses /)
    lock.release()
    expect((await run('list')).status).toBe(0)
    expect((await run('list')).status).toBe(0)
  })

  it('shows how it is called', async () => {
    expect((await run()).status).toBe(2)
    expect((await run('list', 'more')).lines[0]).toMatch(/^Usage: /)
  })
})
