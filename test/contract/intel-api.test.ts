import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createProxy } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadOwnCa } from '../../src/adapters/crypto/ca.ts'
import type { OwnCa } from '../../src/adapters/crypto/ca.ts'
import { createHttpExchange } from '../../src/adapters/http/exchange.ts'
import type { HttpExchange } from '../../src/adapters/http/exchange.ts'
import { createRemoteLookup, createRetroApi } from '../../src/adapters/http/intel-client.ts'
import type { IntelClientSettings } from '../../src/adapters/http/intel-client.ts'
import { startIntelServer } from '../../src/adapters/http/intel-server.ts'
import type { IntelServer } from '../../src/adapters/http/intel-server.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../src/adapters/sqlite/intel.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import { createIntelService } from '../../src/intel/service/service.ts'
import type { IntelService } from '../../src/intel/service/service.ts'
import type { Registration, RetroApi } from '../../src/retro/ports.ts'
import { testEnv } from '../support/env.ts'

const SERIAL = '420D4F36AAEBC009AAAA-B9E721891234'
const OTHER = '423AA9781B6766ACBBBB-25CC6C241234'
const URL_1 = 'http://phish.example.com/test_url_1'
const EMAIL = 'd5feb7d4-fe00-4568-9bb7-769a5bc7886e'
const START = '2022-03-30T00:20:10Z'
const HOUR = 3600_000
const { signal } = new AbortController()

let tls: OwnCa
let caHome: string
beforeAll(async () => {
  caHome = mkdtempSync(join(tmpdir(), 'lychgate-intel-ca-'))
  tls = await loadOwnCa(caHome, ['127.0.0.1', 'localhost'], { clock: systemClock, entropy: systemEntropy })
})
afterAll(() => rmSync(caHome, { recursive: true, force: true }))

let home: string
let writer: SqliteWriter
let env: ReturnType<typeof testEnv>
let service: IntelService
let server: IntelServer
let http: HttpExchange
let secret: string
let settings: IntelClientSettings
let api: RetroApi
let watched: readonly string[]

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-intel-'))
  writer = inlineWriter()
  env = testEnv(START)
  watched = []
  service = createIntelService({ store: await createIntelStore(writer, join(home, 'intel.db')), env })
  server = await startIntelServer({ service, tls, host: '127.0.0.1', port: 0 })
  http = createHttpExchange(systemClock)
  secret = await service.devices.enrol(SERIAL)
  settings = {
    endpoint: { url: server.uri, ca: tls.caPem, proxy: null },
    organization: 'example org',
    deviceSecret: secret,
    hashLookups: false,
    hashSubmissions: false,
  }
  api = createRetroApi({ ...client(), settings: () => settings })
})
afterEach(async () => {
  await http.close()
  await server.stop(100)
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

const client = () => ({ http, serial: SERIAL, version: '0.1.0', entropy: systemEntropy, watched: () => watched })
const registered = async (a: RetroApi = api): Promise<Registration> => {
  const { body } = await a.register(signal)
  const { token, region_uri: regionUri } = body as { token: string; region_uri: string }
  return { token, regionUri }
}
const query = async (r: Registration, since = '2022-03-29T23:20:24Z', pageSize = 10) =>
  await api.query(r, { since, pageSize }, signal)
const submit = async (r: Registration, ...urls: readonly string[]) =>
  await api.submit(
    r,
    urls.map((url, i) => ({ emailId: `${EMAIL.slice(0, -1)}${i}`, url, submittedAt: env.clock.now() })),
    signal,
  )

describe('registration', () => {
  it('answers 201 with a token and the region URI', async () => {
    const answer = await api.register(signal)
    expect(answer.status).toBe(201)
    expect(answer.url).toBe(`${server.uri}/v1/register/device/${SERIAL}`)
    expect(answer.body).toMatchObject({ region_uri: server.uri, token: expect.stringMatching(/^[\w-]{43}$/) as string })
  })

  it('knows a device by its secret: serial alone, a wrong secret and a revoked device are refused', async () => {
    for (const wrong of ['', 'x'.repeat(43)]) {
      settings = { ...settings, deviceSecret: wrong }
      expect(await api.register(signal)).toMatchObject({ status: 403, body: { message: 'Device Not Enrolled' } })
    }
    settings = { ...settings, deviceSecret: secret }
    const registration = await registered()
    await service.devices.revoke(SERIAL)
    expect((await api.register(signal)).status).toBe(403)
    expect((await query(registration)).status).toBe(401)
  })

  it('keeps twenty tokens of a device; the oldest end, and another device loses none', async () => {
    const other = await service.devices.enrol('OTHER-1')
    const theirs = await service.devices.issue('OTHER-1', other, 'o')
    const first = await registered()
    for (let n = 0; n < 20; n++) await service.devices.issue(SERIAL, secret, 'o')
    expect((await query(first)).status).toBe(401)
    expect((await query(await registered())).status).toBe(200)
    expect(service.devices.authenticate(theirs?.token ?? '')).toMatchObject({ serial: 'OTHER-1' })
  })

  it('ends tokens after 24 hours with 403 Token Expired, and registering again helps', async () => {
    const registration = await registered()
    await env.clock.advance(24 * HOUR)
    const refused = await query(registration)
    expect(refused).toMatchObject({ status: 403, text: '{"message":"Token Expired"}' })
    expect((await query(await registered())).status).toBe(200)
  })
})

describe('retrospections', () => {
  it('are an empty object when there are none', async () => {
    expect(await query(await registered())).toMatchObject({ status: 200, text: '{}' })
  })

  it("have the reference's fields in its order", async () => {
    const registration = await registered()
    expect(await submit(registration, URL_1)).toMatchObject({ status: 202, body: { accepted: 1 } })
    await service.verdicts.set(URL_1, 'malicious', { user: 'admin' })
    const answer = await query(registration)
    expect(answer.url).toBe(`${server.uri}/v1/retro/device/${SERIAL}?since=2022-03-29T23%3A20%3A24Z&page_size=10`)
    expect(answer.text).toBe(
      `{"retros":[{"observable":{"observable_type":"url","value":"${URL_1}"},` +
        '"context_tags":[{"taxonomy_id":4,"taxonomy_entry_id":3,"tag_type_id":1}],' +
        `"email_id":"${EMAIL.slice(0, -1)}0","timestamp":"2022-03-30T00:20:10Z","org_id":"example org",` +
        '"verdict":{"taxonomy_id":4,"taxonomy_entry_id":3,"tag_type_id":1},"taxonomy_map_version":1}],"more":false}',
    )
  })

  it.each([
    ['the URL itself', URL_1],
    ['a folder above it', 'http://phish.example.com/'],
    ['its host', 'phish.example.com'],
    ['its domain', 'example.com'],
  ])('come when %s turns malicious, once', async (_, indicator) => {
    const registration = await registered()
    await submit(registration, URL_1, 'http://elsewhere.example.org/')
    expect(await service.verdicts.set(indicator, 'malicious', { user: 'admin' })).toMatchObject({ retrospections: 1 })
    await service.verdicts.remove(indicator, 'admin')
    expect(await service.verdicts.set(indicator, 'malicious', { user: 'admin' })).toMatchObject({ retrospections: 0 })
    const { body } = await query(registration)
    expect((body as { retros: unknown[] }).retros).toHaveLength(1)
  })

  it('come for a URL that had turned before it was submitted', async () => {
    const registration = await registered()
    await service.verdicts.set(URL_1, 'malicious', { user: 'admin' })
    await submit(registration, URL_1)
    expect((await query(registration)).text).toContain(URL_1)
  })

  it('do not come after 168 hours', async () => {
    await submit(await registered(), URL_1)
    await env.clock.advance(168 * HOUR + 1000)
    expect(await service.verdicts.set(URL_1, 'malicious', { user: 'admin' })).toMatchObject({ retrospections: 0 })
  })

  it('come page by page in time order, and asking from the last timestamp on ends', async () => {
    const registration = await registered()
    for (let i = 0; i < 5; i++)
      await submit(registration, ...Array.from({ length: 100 }, (_, n) => `http://bad.example/${i}/${n}`))
    await service.verdicts.set('bad.example', 'malicious', { user: 'admin' })
    const seen = new Set<string>()
    let since = '2022-03-29T23:20:24Z'
    for (let page = 0; page < 50; page++) {
      const { body } = await query(registration, since, 10)
      const { retros, more } = body as {
        retros: { timestamp: string; observable: { value: string } }[]
        more: boolean
      }
      const stamps = retros.map((r) => r.timestamp)
      expect(stamps).toEqual([...stamps].sort())
      for (const r of retros) seen.add(r.observable.value)
      since = stamps[stamps.length - 1] ?? since
      if (!more) break
    }
    expect(seen.size).toBe(500)
  })
})

describe('a device', () => {
  it("neither reads nor submits as another one, even with that one's serial", async () => {
    const otherSecret = await service.devices.enrol(OTHER)
    const stranger = createRetroApi({
      ...client(),
      serial: OTHER,
      settings: () => ({ ...settings, deviceSecret: otherSecret }),
    })
    const registration = await registered(stranger)
    expect(await query(registration)).toMatchObject({ status: 403, body: { message: 'Forbidden' } })
    expect((await submit(registration, URL_1)).status).toBe(403)
  })

  it('cannot change a verdict', async () => {
    const { token } = await registered()
    for (const path of ['/v1/opinions', '/v1/admin/opinions', '/v1/lookup/opinions']) {
      const url = `${server.uri}${path}`
      const body = { indicator: URL_1, level: 'trusted' }
      const answer = await http.send(settings.endpoint, { method: 'POST', url, bearer: token, body }, signal)
      expect(answer.status).toBe(404)
    }
  })

  it('is told what is wrong with a request', async () => {
    const registration = await registered()
    expect((await query(registration, 'yesterday')).status).toBe(400)
    expect((await query(registration, undefined, 100_000)).status).toBe(400)
    expect((await submit(registration, 'x'.repeat(9000))).status).toBe(400)
    expect((await submit(registration, ...Array.from({ length: 1001 }, () => URL_1))).status).toBe(400)
    const url = `${server.uri}/v1/lookup/urls`
    const large = { urls: ['x'.repeat(11 * 1024 * 1024)] }
    const answer = await http.send(
      settings.endpoint,
      { method: 'POST', url, bearer: registration.token, body: large },
      signal,
    )
    expect(answer.status).toBe(413)
  })
})

describe('look-ups over HTTPS', () => {
  it('give the verdicts that the service gives in process, and renew an expired token', async () => {
    const lookup = createRemoteLookup({ ...client(), settings: () => settings })
    await service.verdicts.set('phish.example.com', 'malicious', { user: 'admin', category: 'Phishing' })
    const urls = [URL_1, 'http://unknown.example.org/']
    expect(await lookup.urls(urls, signal)).toEqual(await service.lookup.urls(urls, signal))
    await env.clock.advance(25 * HOUR)
    const sender = {
      remoteAddress: '192.0.2.1',
      reverseHost: null,
      helo: 'mx.phish.example.com',
      envelopeFrom: 'example.org',
      headerFrom: 'phish.example.com',
      replyTo: null,
    }
    const verdict = await lookup.sender(sender, signal)
    expect(verdict).toEqual(await service.lookup.sender(sender, signal))
    expect(verdict).toMatchObject({ level: 'awful', suspected: ['phish.example.com', 'mx.phish.example.com'] })
  })
})

const listening = async (listener: Server): Promise<number> => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return (listener.address() as AddressInfo).port
}

describe('the client', () => {
  it('believes only the CA that it was given', async () => {
    const home2 = mkdtempSync(join(tmpdir(), 'lychgate-ca2-'))
    const stranger = await loadOwnCa(home2, ['127.0.0.1'], { clock: systemClock, entropy: systemEntropy })
    settings = { ...settings, endpoint: { ...settings.endpoint, ca: stranger.caPem } }
    await expect(api.register(signal)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    rmSync(home2, { recursive: true, force: true })
  })

  it('follows no redirect, so that its token goes to nobody else', async () => {
    let stolen = 0
    const thief = createHttps({ key: tls.keyPem, cert: tls.certPem }, (_, answer) => {
      stolen++
      answer.end('{}')
    })
    const thiefPort = await listening(thief)
    const redirecting = createHttps({ key: tls.keyPem, cert: tls.certPem }, (_, answer) => {
      answer.writeHead(302, { location: `https://127.0.0.1:${thiefPort}/` }).end()
    })
    const regionUri = `https://127.0.0.1:${await listening(redirecting)}`
    expect((await query({ token: 'secret', regionUri })).status).toBe(302)
    expect(stolen).toBe(0)
    thief.close()
    redirecting.close()
  })

  it('goes through a CONNECT proxy, which sees no plain text', async () => {
    const asked: string[] = []
    let seen = ''
    const proxy = createProxy((_, answer) => answer.writeHead(405).end())
    proxy.on('connect', (request, socket, head: Buffer) => {
      asked.push(request.url ?? '')
      const upstream = connect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.write(head)
        socket.on('data', (d: Buffer) => (seen += d.toString('latin1')))
        socket.pipe(upstream).pipe(socket)
      })
      socket.on('error', () => upstream.destroy())
      upstream.on('error', () => socket.destroy())
    })
    const port = await listening(proxy)
    settings = { ...settings, endpoint: { ...settings.endpoint, proxy: `http://127.0.0.1:${port}` } }
    expect((await api.register(signal)).status).toBe(201)
    expect(asked).toEqual([`127.0.0.1:${server.port}`])
    expect(seen).not.toContain(SERIAL)
    expect(seen).not.toContain(secret)
    await http.close()
    proxy.close()
    proxy.closeAllConnections()
  })

  it('names host and cause, and no secret, when the service is away', async () => {
    const url = server.uri
    await server.stop(0)
    settings = { ...settings, endpoint: { ...settings.endpoint, url } }
    const error = await api.register(signal).then(
      () => new Error('answered'),
      (e: unknown) => e as Error,
    )
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)$/)
  })
})
