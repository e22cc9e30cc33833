import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createMailboxWriter } from '../../../../src/adapters/maildir/deliver.ts'
import { maildirName, mailboxPath } from '../../../../src/core/mailbox-path.ts'
import { temporaryHome } from '../../../support/spool.ts'

let dir: ReturnType<typeof temporaryHome>
beforeEach(() => {
  dir = temporaryHome()
})
afterEach(() => dir.remove())
const root = () => join(dir.home, 'mailboxes')
const box = (part: string) => join(root(), 'example.com', 'bob', part)
const NAME = maildirName(new Date(1_648_599_610_000), 63280, 0, 'mail.example.com')
const BYTES = Buffer.from('Subject: x\r\n\r\nx\r\n')

it('names a delivery by time, MID, RID and host', () => {
  expect(NAME).toBe('1648599610.M63280R0.mail.example.com')
})

it('delivers once however often it is asked, also over what a crash left', async () => {
  const first = createMailboxWriter(root())
  await first.deliver('Bob@Example.COM', NAME, BYTES, false)
  await first.deliver('bob@example.com', NAME, BYTES, false)
  // A crash between write and link leaves a part in tmp.
  writeFileSync(join(box('tmp'), NAME), 'part of')
  const restarted = createMailboxWriter(root())
  await restarted.deliver('bob@example.com', NAME, BYTES, true)
  expect(readdirSync(box('new'))).toEqual([NAME])
  expect(readdirSync(box('tmp'))).toEqual([])
  expect(statSync(join(box('new'), NAME)).mode & 0o777).toBe(0o600)
})

it('knows its message again when the reader has taken it to cur', async () => {
  const writer = createMailboxWriter(root())
  await writer.deliver('bob@example.com', NAME, BYTES, false)
  renameSync(join(box('new'), NAME), join(box('cur'), `${NAME}:2,S`))
  await writer.deliver('bob@example.com', NAME, BYTES, true)
  expect(readdirSync(box('new'))).toEqual([])
})

it('makes a mailbox anew that was removed meanwhile', async () => {
  const writer = createMailboxWriter(root())
  await writer.deliver('bob@example.com', NAME, BYTES, false)
  rmSync(join(root(), 'example.com'), { recursive: true })
  await writer.deliver('bob@example.com', NAME, BYTES, false)
  expect(existsSync(join(box('new'), NAME))).toBe(true)
})

it('never lets a name out of its directory, and gives no two addresses one mailbox', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('..', '.', '../x', '/etc', 'a/b', '\0', 'x'.repeat(500), '%2e'),
  )
  const seen = new Map<string, string>()
  fc.assert(
    fc.property(part, part, (local, domain) => {
      const address = `${local}@${domain.replaceAll('@', '')}`
      const path = mailboxPath(address)
      const inside = relative('/m', resolve('/m', path))
      expect(inside).toBe(path)
      expect(path).toMatch(/^[a-z0-9_+=@%-][a-z0-9._+=@%-]*\/[a-z0-9_+=@%-][a-z0-9._+=@%-]*$/)
      expect(path.split('/').every((p) => p.length <= 255)).toBe(true)
      const folded = address.normalize('NFC').toLowerCase().replace(/\.$/, '')
      expect(seen.get(path) ?? folded).toBe(folded)
      seen.set(path, folded)
    }),
    { numRuns: 1000, seed: 3 },
  )
})
