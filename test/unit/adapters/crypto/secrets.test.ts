import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSecretBox, openSecretBox } from '../../../../src/adapters/crypto/secrets.ts'
import { seededEntropy } from '../../../support/env.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-keys-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const box = (key: number) => createSecretBox(new Uint8Array(32).fill(key), seededEntropy())

test('sealed text opens again, is never the same twice, and does not hold the secret', () => {
  const b = box(1)
  for (const secret of ['', 'correct horse', 'ü\u0000\ud800', 'x'.repeat(10_000)]) {
    const [one, two] = [b.seal(secret), b.seal(secret)]
    expect(one).not.toBe(two)
    expect(b.open(one)).toBe(secret)
    expect(b.open(two)).toBe(secret)
  }
  expect(b.seal('correct horse')).not.toContain(Buffer.from('correct horse').toString('base64').slice(0, 8))
})

test('another key, a changed byte, a cut and foreign text are told apart and never opened', () => {
  const sealed = box(1).seal('correct horse')
  expect(() => box(2).open(sealed)).toThrow(
    /encrypted with the key [0-9a-f]{8}; the key of this appliance is [0-9a-f]{8}/,
  )
  const [head, body = ''] = [sealed.slice(0, sealed.lastIndexOf('$') + 1), sealed.split('$').at(-1)]
  const bytes = Buffer.from(body, 'base64')
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i] = (changed[i] ?? 0) ^ 1
    expect(() => box(1).open(head + changed.toString('base64'))).toThrow('Its encrypted text is damaged.')
  }
  for (let length = 0; length < bytes.length; length++)
    expect(() => box(1).open(head + bytes.subarray(0, length).toString('base64'))).toThrow('damaged')
  expect(() => box(1).open('correct horse')).toThrow('It is not an encrypted secret.')
})

test('the key file is made once, for its owner alone, and read again', () => {
  const path = join(home, 'keys', 'secrets.key')
  const sealed = openSecretBox(path, seededEntropy(5)).seal('s')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(home, 'keys')).mode & 0o777).toBe(0o700)
  expect(readdirSync(join(home, 'keys'))).toEqual(['secrets.key'])
  chmodSync(path, 0o644)
  expect(openSecretBox(path, seededEntropy(6)).open(sealed)).toBe('s')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a damaged key file is refused and not replaced: the secrets need the true one', () => {
  const path = join(home, 'secrets.key')
  writeFileSync(path, 'short')
  expect(() => openSecretBox(path, seededEntropy())).toThrow('does not hold a key of 32 bytes')
})
