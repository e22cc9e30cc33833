import { expect, it } from 'vitest'
import { dkimSigning } from '../../../../src/config/sections/dkim-signing.ts'
import type { SigningProfile } from '../../../../src/config/sections/dkim-signing.ts'
import { dnsTextRecord, newSigningKey, readSigningKey } from '../../../../src/core/signing-keys.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import { createDkimSigner, profileFor } from '../../../../src/mail/auth/dkim-sign.ts'
import { dkimMatter, verifyDkim } from '../../../../src/mail/auth/dkim.ts'
import { TestConfig } from '../../../support/config-reader.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const profile = (over: Partial<SigningProfile> = {}): SigningProfile => ({
  name: 'main',
  domain: 'example.com',
  selector: 's1',
  key: 'k',
  headerCanonicalization: 'relaxed',
  bodyCanonicalization: 'relaxed',
  expirationSeconds: null,
  users: [],
  ...over,
})
const MESSAGE = Buffer.from('From: A <alice@example.com>\r\nSubject: hi\r\nTo: b@far.example\r\n\r\nBody\r\n')
const OUT = { mid: 1, icid: 1, direction: 'outgoing' } as const

const signing = (type: 'rsa' | 'ed25519', profiles: SigningProfile[]) => {
  const clock = new FakeClock(new Date().toISOString())
  const events = createEventBus(clock)
  const log: ApplianceEvent[] = []
  events.subscribe((_at, e) => log.push(e))
  const privateKey = newSigningKey(type)
  const config = new TestConfig().set(dkimSigning, {
    keys: [{ name: 'k', type, privateKey }],
    profiles,
    signGenerated: true,
  })
  return { signer: createDkimSigner({ config, clock, events }), log, record: dnsTextRecord(type, privateKey) }
}

it.each(['rsa', 'ed25519'] as const)(
  'a signature with a key of kind %s verifies against the record that dnstxt prints',
  async (type) => {
    const { signer, log, record } = signing(type, [profile()])
    const header = await signer.sign(OUT, MESSAGE)
    expect(header).toMatch(/^DKIM-Signature: [^]*\r\n$/)
    expect(log).toEqual([{ type: 'delivery.dkim', mid: 1, address: 'alice@example.com', profile: 'main' }])
    const outcome = await verifyDkim(dkimMatter(Buffer.concat([Buffer.from(header), MESSAGE])), {
      resolve: async (name) => (name === 's1._domainkey.example.com' ? [[record]] : []),
      reverse: async () => [],
    })
    expect(outcome.signatures.map((s) => [s.result, s.domain])).toEqual([['pass', 'example.com']])
  },
)

it('a message is signed once, however often it is tried', async () => {
  const { signer, log } = signing('ed25519', [profile()])
  expect(await signer.sign(OUT, MESSAGE)).toBe(await signer.sign(OUT, MESSAGE))
  expect(log).toHaveLength(1)
})

it('mail that no profile takes, and incoming mail, goes unsigned', async () => {
  const { signer, log } = signing('ed25519', [profile({ domain: 'other.example' })])
  expect(await signer.sign(OUT, MESSAGE)).toBe('')
  expect(log).toEqual([{ type: 'delivery.dkim', mid: 1, address: 'alice@example.com', profile: null }])
  expect(await signer.sign({ ...OUT, mid: 2, direction: 'incoming' }, MESSAGE)).toBe('')
  expect(log).toHaveLength(1)
})

it.each([
  ['alice@example.com', [], 'main'],
  ['Alice@Example.COM', ['alice@example.com'], 'main'],
  ['bob@example.com', ['alice@example.com'], undefined],
  ['x@a.example.com', ['.example.com'], 'main'],
  ['x@example.com.evil.example', [], undefined],
  ['x@badexample.com', ['example.com'], undefined],
])('%s with the users %j has the profile %s', (address, users, name) => {
  expect(profileFor(address, [profile({ users })])?.name).toBe(name)
})

it('a pasted key is taken in its own kind, and what is none is refused without its text', () => {
  expect(readSigningKey(newSigningKey('ed25519')).type).toBe('ed25519')
  expect(() => readSigningKey('-----BEGIN secret')).toThrow(/not a private key/)
  expect(() => readSigningKey('-----BEGIN secret')).not.toThrow(/BEGIN/)
})
