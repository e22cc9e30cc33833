import { createRequire } from 'node:module'
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Resolver } from '../../../../src/core/resolver.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import { createAuthenticator } from '../../../../src/mail/auth/authenticate.ts'
import { testEnv } from '../../../support/env.ts'
import { settle } from '../../../support/fake-clock.ts'
import { newEntry } from '../../../support/spool.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicDer = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

const zone: Readonly<Record<string, readonly string[][]>> = {
  'sender.example TXT': [['v=spf1 ip4:192.0.2.1 -all']],
  'sel._domainkey.sender.example TXT': [[`v=DKIM1; k=rsa; p=${publicDer}`]],
  '_dmarc.sender.example TXT': [['v=DMARC1; p=reject']],
}
const asked: string[] = []
const resolver: Resolver = {
  resolve: async (name, type) => {
    asked.push(`${name} ${type}`)
    const found = zone[`${name} ${type}`]
    if (!found) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
    return found
  },
  reverse: async () => [],
}

const setUp = (over: Resolver = resolver) => {
  const env = testEnv('2022-03-30T00:20:10Z')
  const bus = createEventBus(env.clock)
  const events: ApplianceEvent[] = []
  bus.subscribe((_, e) => events.push(e))
  const authenticator = createAuthenticator({ resolver: over, clock: env.clock, events: bus, timeoutMs: 5000 })
  return { env, events, authenticator }
}
const { signal } = new AbortController()
const plain = Buffer.from('From: a@sender.example\r\nSubject: x\r\n\r\nhello\r\n')

const signed = async (message: Buffer): Promise<Buffer> => {
  const { dkimSign } = createRequire(import.meta.url)('mailauth/lib/dkim/sign') as {
    dkimSign: (m: Buffer, o: object) => Promise<{ signatures: string }>
  }
  const { signatures } = await dkimSign(message, {
    signatureData: [
      {
        signingDomain: 'sender.example',
        selector: 'sel',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      },
    ],
  })
  return Buffer.concat([Buffer.from(signatures), message])
}

describe('authentication of incoming mail', () => {
  it('finds SPF Pass, a good signature and aligned DMARC', async () => {
    const { authenticator, events } = setUp()
    const found = await authenticator.authenticate(newEntry(1), await signed(plain), 'mx.example.com', signal)
    expect(found).toMatchObject({ spf: { helo: 'None', mailfrom: 'Pass' }, dkim: 'pass', dmarc: 'pass' })
    expect(events.filter((e) => e.type !== 'auth.spf-cache')).toMatchObject([
      { type: 'auth.spf', identity: 'helo', address: 'postmaster@client.sender.example', result: 'None' },
      { type: 'auth.spf', identity: 'mailfrom', address: 'alice@sender.example', result: 'Pass', recordFound: true },
      { type: 'auth.dkim', result: 'pass', detail: 'signature verified', domain: 'sender.example', selector: 'sel' },
      { type: 'auth.dmarc', outcome: 'passed', domain: 'sender.example', spfAligned: true, dkimAligned: true },
    ])
  })

  it('answers the same identity from the verdict cache and tells its status at most once a minute', async () => {
    const { authenticator, events, env } = setUp()
    await authenticator.authenticate(newEntry(1), plain, 'mx', signal)
    const before = asked.filter((a) => a === 'sender.example TXT').length
    await authenticator.authenticate(newEntry(2), plain, 'mx', signal)
    expect(asked.filter((a) => a === 'sender.example TXT')).toHaveLength(before)
    expect(events.filter((e) => e.type === 'auth.spf').map((e) => e.fromCache)).toEqual([false, false, true, true])
    await env.clock.advance(60_000)
    await authenticator.authenticate(newEntry(3), plain, 'mx', signal)
    expect(events.filter((e) => e.type === 'auth.spf-cache').map((e) => [e.hits, e.misses, e.adds])).toEqual([
      [0, 1, 1],
      [3, 2, 2],
    ])
  })

  it('tells a changed body from a missing key, and accepts no body length limit', async () => {
    const { authenticator, events } = setUp()
    const message = await signed(plain)
    await authenticator.authenticate(newEntry(1), Buffer.concat([message, Buffer.from('more\r\n')]), 'mx', signal)
    const limited = Buffer.from(message.toString('latin1').replace(/\bh=/, 'l=3; h='), 'latin1')
    const other = Buffer.from(message.toString('latin1').replace('s=sel', 's=none'), 'latin1')
    const bare = Buffer.concat([Buffer.from('DKIM-Signature: v=1; a=rsa-sha256\r\n'), plain])
    for (const raw of [limited, other, bare]) await authenticator.authenticate(newEntry(2), raw, 'mx', signal)
    expect(events.filter((e) => e.type === 'auth.dkim').map((e) => `${e.result} ${e.detail}`)).toEqual([
      'permfail body hash did not verify [final]',
      'permfail body length limits are not accepted',
      'permfail no key for signature',
      'malformed signature missing required tag',
    ])
  })

  it('reads no From header longer than 64 KB, nor several, and says so: nothing passes by a part of it', async () => {
    const { authenticator, events } = setUp()
    const long = `From: a@sender.example${',\r\n b@other.example'.repeat(4000)}\r\n`
    const several = 'From: a@sender.example\r\n'.repeat(2) + `Return-Path: ${'x'.repeat(65_536)}\r\n`
    for (const header of [long, several]) {
      const message = await signed(Buffer.from(`${header}\r\nhello\r\n`))
      const found = await authenticator.authenticate(newEntry(1), message, 'mx', signal)
      expect(found).toMatchObject({ dkim: 'permerror', dmarc: 'none' })
    }
    const said = { type: 'auth.dmarc', mid: 1, outcome: 'skipped', reason: 'The From header is too long' }
    expect(events.filter((e) => e.type === 'auth.dmarc')).toEqual([said, said])
    expect(events.filter((e) => e.type === 'auth.dkim').map((e) => e.detail)).toEqual([
      'the From header is too long',
      'the From header is too long',
    ])
  })

  it('is a TempError, not a hang, when DNS does not answer', async () => {
    const { authenticator, events, env } = setUp({
      resolve: () => new Promise(() => undefined),
      reverse: async () => [],
    })
    const running = authenticator.authenticate(newEntry(1), plain, 'mx', signal)
    // The first check waits for a lazily loaded package before it starts to wait for DNS.
    for (let i = 0; i < 200 && env.clock.waiting === 0; i++) await settle()
    for (let i = 0; i < 6; i++) {
      await env.clock.advance(5000)
      for (let j = 0; j < 20; j++) await settle()
    }
    expect(await running).toMatchObject({ spf: { helo: 'TempError', mailfrom: 'TempError' }, dmarc: 'temperror' })
    expect(events.filter((e) => e.type === 'auth.dmarc')).toMatchObject([{ outcome: 'skipped' }])
  })
})
