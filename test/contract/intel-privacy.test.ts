import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadOwnCa } from '../../src/adapters/crypto/ca.ts'
import { createHttpExchange } from '../../src/adapters/http/exchange.ts'
import type { HttpExchange } from '../../src/adapters/http/exchange.ts'
import { createRemoteLookup, createRetroApi } from '../../src/adapters/http/intel-client.ts'
import { startIntelServer } from '../../src/adapters/http/intel-server.ts'
import type { IntelServer } from '../../src/adapters/http/intel-server.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../src/adapters/sqlite/intel.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import { createIntelService } from '../../src/intel/service/service.ts'
import type { IntelService } from '../../src/intel/service/service.ts'
import { testEnv } from '../support/env.ts'

const SERIAL = '420D4F36AAEBC009AAAA-B9E721891234'
const EMAIL = 'd5feb7d4-fe00-4568-9bb7-769a5bc7886e'
const SECRET_URL = 'https://app.example.com/reset?token=CANARY&user=alice'
const BY = { user: 'admin' }
const { signal } = new AbortController()

let home: string
let writer: SqliteWriter
let service: IntelService
let server: IntelServer
let tap: ReturnType<typeof createServer>
let http: HttpExchange
let bodies: string[]
let client: Parameters<typeof createRetroApi>[0]

/** The real service, and before it a listener at the wire's clear side: everything that a gateway sends goes through it. */
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-privacy-'))
  writer = inlineWriter({ durable: false })
  const store = await createIntelStore(writer, join(home, 'intel.db'))
  service = createIntelService({ store, env: testEnv('2022-03-30T00:20:10Z') })
  const tls = await loadOwnCa(home, ['127.0.0.1'], { clock: systemClock, entropy: systemEntropy })
  bodies = []
  http = createHttpExchange(systemClock)
  const inner = createHttpExchange(systemClock)
  let uri = ''
  tap = createServer({ cert: tls.certPem, key: tls.keyPem }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      const method = request.method === 'POST' ? 'POST' : 'GET'
      const bearer = (request.headers.authorization ?? '').replace('Bearer ', '')
      const endpoint = { url: server.uri, ca: tls.caPem, proxy: null }
      const sent = body === '' ? {} : { body: JSON.parse(body) as unknown }
      void inner
        .send(endpoint, { method, url: `${server.uri}${request.url ?? ''}`, bearer, ...sent }, signal)
        .then((a) => response.writeHead(a.status).end(a.text.replace(server.uri, uri)))
    })
  })
  tap.on('close', () => void inner.close())
  server = await startIntelServer({ service, tls, host: '127.0.0.1', port: 0 })
  await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve))
  uri = `https://127.0.0.1:${(tap.address() as AddressInfo).port}`
  const deviceSecret = await service.devices.enrol(SERIAL)
  const endpoint = { url: uri, ca: tls.caPem, proxy: null }
  const settings = () => ({ endpoint, organization: 'o', deviceSecret, hashLookups: true, hashSubmissions: true })
  client = { http, serial: SERIAL, version: '0', settings, entropy: systemEntropy, watched: () => [SECRET_URL] }
})
afterEach(async () => {
  await http.close()
  tap.closeAllConnections()
  await new Promise((resolve) => tap.close(resolve))
  await server.stop(0)
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

it('a look-up by prefixes gives the verdict and reason of a plain one, and does not name the URL', async () => {
  await service.verdicts.set('example.com', 'trusted', BY)
  await service.verdicts.set('http://app.example.com/reset', 'malicious', {
    ...BY,
    category: 'Phishing',
    reason: 'seen',
  })
  await service.verdicts.set('http://bad.example.org/', 'questionable', BY)
  const urls = [SECRET_URL, 'http://www.example.com/x', 'http://a.bad.example.org/', 'http://nobody.example.net/', '::']
  const blind = await createRemoteLookup(client).urls(urls, signal)
  expect(blind).toEqual(await service.lookup.urls(urls, signal))
  expect(blind.get(SECRET_URL)).toMatchObject({ level: 'untrusted', because: { indicator: 'app.example.com/reset' } })
  expect(bodies.join()).not.toMatch(/CANARY|alice|example|https/)
})

it('prefixes have 32 bits, are sorted, and come in steps of 64, whatever is asked', async () => {
  const lookup = createRemoteLookup(client)
  for (const urls of [['http://a.example/'], [SECRET_URL, 'http://b.example/1/2/3/4/5?6', 'http://c.example/']])
    await lookup.urls(urls, signal)
  const asked = bodies
    .filter((b) => b.includes('prefixes'))
    .map((b) => (JSON.parse(b) as { prefixes: string[] }).prefixes)
  expect(asked.map((p) => p.length)).toEqual([64, 64])
  for (const prefixes of asked) {
    expect(prefixes.every((p) => /^[0-9a-f]{8}$/.test(p))).toBe(true)
    expect(prefixes).toEqual([...prefixes].sort())
  }
})

it('a URL that is watched by hashes turns, comes back under its own name, and the service never had it', async () => {
  const api = createRetroApi(client)
  const { token, region_uri: regionUri } = (await api.register(signal)).body as { token: string; region_uri: string }
  const registration = { token, regionUri }
  const submittedAt = new Date()
  const items = [{ emailId: EMAIL, url: SECRET_URL, submittedAt }]
  expect(await api.submit(registration, items, signal)).toMatchObject({ status: 202, body: { accepted: 1 } })
  expect(await service.verdicts.set('app.example.com', 'malicious', BY)).toMatchObject({ retrospections: 1 })
  const query = { since: '2022-03-29T23:20:24Z', pageSize: 10 }
  const answer = await api.query(registration, query, signal)
  expect(answer.body).toMatchObject({
    retros: [
      { observable: { observable_type: 'url', value: SECRET_URL }, email_id: EMAIL, verdict: { taxonomy_id: 4 } },
    ],
  })
  expect(bodies.join()).not.toMatch(/CANARY|alice|app\.example/)
  expect(JSON.stringify(service.retro.page(SERIAL, new Date(0), 10))).not.toContain('CANARY')
})

it('a retrospection of a message that is not watched here keeps the hash for a URL', async () => {
  const api = createRetroApi({ ...client, watched: () => [] })
  const { token, region_uri: regionUri } = (await api.register(signal)).body as { token: string; region_uri: string }
  const items = [{ emailId: EMAIL, url: SECRET_URL, submittedAt: new Date() }]
  await api.submit({ token, regionUri }, items, signal)
  await service.verdicts.set('app.example.com', 'malicious', BY)
  const { body } = await api.query({ token, regionUri }, { since: '2022-03-29T23:20:24Z', pageSize: 10 }, signal)
  expect(body).toMatchObject({
    retros: [{ observable: { observable_type: 'url', value: expect.stringMatching(/^[0-9a-f]{32}$/) as string } }],
  })
})

it('whatever is asked, hashed and plain look-ups agree', async () => {
  const label = fc.constantFrom('a', 'b', 'www', 'example', 'github')
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((l) => `${l.join('.')}.github.io`)
  const path = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 5 }).map((p) => `/${p.join('/')}`)
  const url = fc.tuple(host, path).map(([h, p]) => `http://${h}${p}`)
  const lookup = createRemoteLookup(client)
  await fc.assert(
    fc.asyncProperty(url, url, fc.boolean(), async (said, asked, ofDomain) => {
      await service.verdicts.set(ofDomain ? new URL(said).host : said, 'malicious', BY)
      const plain = await service.lookup.urls([asked], signal)
      expect(await lookup.urls([asked], signal)).toEqual(plain)
    }),
    { numRuns: 40 },
  )
})

it.each([
  ['/v1/lookup/hashes', { prefixes: ['zz'] }],
  ['/v1/lookup/hashes', { prefixes: Array.from({ length: 8193 }, () => '00000000') }],
  [
    `/v1/retro/device/${SERIAL}/urls`,
    { urls: [{ email_id: EMAIL, ref: 'x', expressions: ['0'.repeat(16)], index: [0] }] },
  ],
  [`/v1/retro/device/${SERIAL}/urls`, { urls: [{ email_id: EMAIL, ref: '0'.repeat(32), expressions: [], index: [] }] }],
  [
    `/v1/retro/device/${SERIAL}/urls`,
    { urls: [{ email_id: EMAIL, ref: '0'.repeat(32), expressions: ['0'.repeat(16)], index: [1] }] },
  ],
])('%s says what is wrong with a body of another form', async (path, body) => {
  const { token } = (await createRetroApi(client).register(signal)).body as { token: string }
  const url = `${server.uri}${path}`
  const endpoint = { ...client.settings().endpoint, url: server.uri }
  expect(await http.send(endpoint, { method: 'POST', url, bearer: token, body }, signal)).toMatchObject({ status: 400 })
})
