import { expect, it } from 'vitest'
import { createPassphrases } from '../../../../src/adapters/crypto/passphrase.ts'

it('hashes with argon2id and a salt of its own each time', async () => {
  const passphrases = createPassphrases()
  const [a, b] = [await passphrases.hash('Snow-fall'), await passphrases.hash('Snow-fall')]
  expect(a).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(a).not.toBe(b)
  expect(await passphrases.verify(a, 'Snow-fall')).toBe(true)
  expect(await passphrases.verify(a, 'snow-fall')).toBe(false)
})

it('answers no without a hash, and to a text that is no hash', async () => {
  const passphrases = createPassphrases()
  expect(await passphrases.verify(null, 'nobody has this passphrase')).toBe(false)
  expect(await passphrases.verify('rubbish', 'rubbish')).toBe(false)
})

it('refuses what comes when too many wait', async () => {
  const passphrases = createPassphrases()
  const all = await Promise.allSettled(Array.from({ length: 33 }, () => passphrases.verify('rubbish', 'x')))
  expect(all.filter((r) => r.status === 'rejected')).toHaveLength(1)
})
