import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loginFile } from '../../../../src/adapters/files/logins.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logins-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('reads what it wrote, in a file for its owner alone', () => {
  const path = join(folder, 'logins.json')
  const record = { user: 'a', from: 'local', at: new Date(1000), end: null, state: 'present', attempts: 1 } as const
  loginFile(path).save([record, { ...record, end: new Date(2000), state: 'left' }])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(loginFile(path).load()).toEqual([record, { ...record, end: new Date(2000), state: 'left' }])
})

it('takes what can be read of a damaged file, and nothing of rubbish', () => {
  const path = join(folder, 'logins.json')
  const good = { user: 'a', from: 'local', at: new Date(0), end: null, state: 'lost', attempts: 2 }
  writeFileSync(path, JSON.stringify([null, 1, { ...good, at: 'x' }, { ...good, state: 'king' }, good]))
  expect(loginFile(path).load()).toEqual([good])
  writeFileSync(path, '{"half')
  expect(loginFile(path).load()).toEqual([])
  expect(loginFile(join(folder, 'none')).load()).toEqual([])
})
