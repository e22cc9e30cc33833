import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpExchange } from '../../src/adapters/http/exchange.ts'
import type { HttpExchange } from '../../src/adapters/http/exchange.ts'
import { OPERATIONS, openApi } from '../../src/adapters/http/intel-operations.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import { runIntelCommand } from '../../src/main/intel-serve.ts'
import { root } from '../support/root.ts'
import { freePort } from '../support/ports.ts'

const SERIAL = '420D4F36AAEBC009AAAA-B9E721891234'
const never = new AbortController().signal

it('the OpenAPI document in docs/ is what the declarations give', () => {
  const file = join(root, 'docs/intelligence/openapi.json')
  const text = `${JSON.stringify(openApi(), null, 2)}\n`
  if (process.env['UPDATE_OPENAPI'] === '1') writeFileSync(file, text)
  expect(readFileSync(file, 'utf8')).toBe(text)
})

let home: string
let http: HttpExchange
let stop: AbortController
let served: Promise<void>
let port: number
let metricsPort: number

const intel = async (...args: readonly string[]): Promise<readonly string[]> => {
  const lines: string[] = []
  const env = { clock: systemClock, entropy: systemEntropy }
  await runIntelCommand(args, { home, env, user: 'admin', print: (l) => lines.push(l), signal: never })
  return lines
}
const serve = async (...args: readonly string[]): Promise<void> => {
  port = await freePort()
  metricsPort = await freePort()
  await new Promise<void>((ready) => {
    served = runIntelCommand(
      ['serve', '--listen', `127.0.0.1:${port}`, '--metrics', `127.0.0.1:${metricsPort}`, ...args],
      {
        home,
        env: { clock: systemClock, entropy: systemEntropy },
        user: 'admin',
        print: (l) => l.startsWith('listening') && ready(),
        signal: stop.signal,
      },
    )
  })
}
const metrics = (): Promise<string> =>
  new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${metricsPort}/metrics`, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
const send = async (method: 'GET' | 'POST', path: string, bearer: string, body?: unknown) => {
  const url = `https://127.0.0.1:${port}`
  const ca = readFileSync(join(home, 'intel', 'ca.pem'), 'utf8')
  const sent = body === undefined ? {} : { body }
  return await http.send({ url, ca, proxy: null }, { method, url: `${url}${path}`, bearer, ...sent }, never)
}
const token = async (): Promise<string> => {
  const [secret = ''] = await intel('enrol', SERIAL)
  const body = { org_id: 'o', model: 'm', version: '1', type: 't' }
  return ((await send('POST', `/v1/register/device/${SERIAL}`, secret, body)).body as { token: string }).token
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-serve-'))
  http = createHttpExchange(systemClock)
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await served
  await http.close()
  rmSync(home, { recursive: true, force: true })
})

describe('lychgate intel serve', () => {
  it('answers every operation of its document, and each but health and document wants a credential', async () => {
    await serve()
    expect((await send('GET', '/v1/openapi.json', 'x')).body).toEqual(openApi())
    expect(await send('GET', '/v1/health', 'x')).toMatchObject({ status: 200, body: { status: 'ok' } })
    for (const o of OPERATIONS.filter((op) => op.credential !== 'none')) {
      const method = o.method === 'get' ? 'GET' : 'POST'
      const answer = await send(
        method,
        o.path.replace(':serial', SERIAL),
        'wrong',
        o.body === undefined ? undefined : {},
      )
      expect([o.id, answer.status]).toEqual([o.id, o.credential === 'token' ? 401 : 400])
    }
  })

  it('reads its sources again by schedule, and tells their age and health to Prometheus', async () => {
    const file = join(home, 'bad.txt')
    writeFileSync(file, 'bad.example\n')
    expect(await intel('load', 'blocklist', file)).toEqual(['1 indicators'])
    writeFileSync(file, 'bad.example\nworse.example\n')
    await serve()
    const bearer = await token()
    const ask = async () => (await send('POST', '/v1/lookup/urls', bearer, { urls: ['http://worse.example/'] })).text
    for (let n = 0; n < 100 && !(await ask()).includes('untrusted'); n++) await new Promise((r) => setImmediate(r))
    expect(await ask()).toContain('"source":"loaded:blocklist"')
    const text = await metrics()
    expect(text).toMatch(/^lychgate_intel_requests_total\{operation="lookUpUrls",status="200"\} \d+$/m)
    expect(text).toMatch(/^lychgate_intel_request_seconds_bucket\{operation="lookUpUrls",le="\+Inf"\} \d+$/m)
    expect(text).toContain('lychgate_intel_source_indicators{source="loaded:blocklist"} 2\n')
    expect(text).toContain('lychgate_intel_source_healthy{source="loaded:blocklist"} 1\n')
    expect(text).toContain('lychgate_intel_devices 1\n')
    expect((await intel('sources'))[0]).toMatch(
      /^blocklist: 2 indicators, loaded just now, \/.*bad\.txt \(lines, every 3600 s\)$/,
    )
  })

  it('limits requests and watched URLs of each device, and says how long to wait', async () => {
    await serve('--requests-a-minute', '3', '--watched-urls', '1')
    const bearer = await token()
    const submit = () =>
      send('POST', `/v1/retro/device/${SERIAL}/urls`, bearer, { urls: [{ email_id: 'e-1', url: 'http://a.example/' }] })
    expect((await submit()).status).toBe(202)
    expect(await submit()).toMatchObject({ status: 422, body: { message: 'The device watches 1 URLs already.' } })
    await submit()
    const refused = await submit()
    expect(refused).toMatchObject({ status: 429, body: { message: 'Too Many Requests' } })
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000)
  })

  it('limits registrations of each device as well, and a wrong secret uses nothing of its share up', async () => {
    await serve('--requests-a-minute', '2')
    const [secret = ''] = await intel('enrol', SERIAL)
    const body = { org_id: 'o', model: 'm', version: '1', type: 't' }
    const register = async (bearer: string) =>
      (await send('POST', `/v1/register/device/${SERIAL}`, bearer, body)).status
    const statuses: number[] = []
    for (const bearer of ['x', 'x', 'x', secret, secret, secret]) statuses.push(await register(bearer))
    expect(statuses).toEqual([403, 403, 403, 201, 201, 429])
  })

  it.each([
    [['load', 'nosuchfeed'], /^'nosuchfeed' is no feed known here \(openphish, /],
    [['load', 'threatfox'], "'threatfox' needs the key that its provider issued: --key-file FILE."],
    [['load', 'x', '/nowhere', '--refresh', '1'], '--refresh must be a number of seconds from 10 to 604800.'],
    [['serve', '--listen', 'here'], /--listen must be HOST:PORT/],
    [['serve', '--token-hours', '0'], '--token-hours must be a number from 1 to 8760.'],
  ])('%j is refused with one line', async (args, message) => {
    served = Promise.resolve()
    await expect(intel(...args)).rejects.toThrow(message)
  })
})
