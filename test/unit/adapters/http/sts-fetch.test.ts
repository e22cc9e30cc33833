import { createServer } from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { makeCertificate } from '../../../../src/adapters/crypto/x509.ts'
import { createStsFetch } from '../../../../src/adapters/http/sts-fetch.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import type { Clock } from '../../../../src/core/clock.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const never = new AbortController().signal
const life = {
  from: new Date(Date.now() - 86_400_000),
  until: new Date(Date.now() + 86_400_000),
  serial: Buffer.alloc(16, 7),
}
const ca = makeCertificate({ names: ['ca.example'], authority: true, ...life })

const host = async (
  listener: RequestListener,
  {
    name = 'mta-sts.far.example',
    trusted = true,
    local = true,
    clock = systemClock,
  }: { name?: string; trusted?: boolean; local?: boolean; clock?: Clock } = {},
) => {
  const { key, cert } = makeCertificate({ names: [name], issuer: ca, ...life })
  let requests = 0
  const server = createServer({ key, cert }, (request, response) => {
    requests++
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fetch = createStsFetch({
    clock,
    userAgent: 'test',
    resolver: {
      resolve: (asked, type) =>
        asked === 'mta-sts.far.example' && type === 'A'
          ? Promise.resolve(['127.0.0.1'])
          : Promise.reject(new Error('no')),
      reverse: () => Promise.resolve([]),
    },
    ...(trusted ? { ca: ca.cert } : {}),
    port: (server.address() as AddressInfo).port,
    ...(local ? { isAllowed: () => true } : {}),
  })
  stops.push(() => {
    server.closeAllConnections()
    server.close()
  })
  stops.push(() => fetch.close())
  return { fetch, requests: () => requests }
}
const plain: RequestListener = (request, response) =>
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(`policy at ${request.url ?? ''}`)

describe('the policy of a domain', () => {
  it('is read from its place', async () => {
    const { fetch } = await host(plain)
    expect(await fetch.get('far.example', never)).toBe('policy at /.well-known/mta-sts.txt')
  })

  it.each([
    ['with a redirect', (_q, r) => r.writeHead(302, { location: 'https://mta-sts.far.example/' }).end(), '302'],
    ['with 404', (_q, r) => r.writeHead(404).end(), '404'],
    ['that is HTML', (_q, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('x'), 'text/plain'],
    ['of no kind', (_q, r) => r.writeHead(200).end('x'), 'text/plain'],
    [
      'of more than 64 KB',
      (_q, r) => r.writeHead(200, { 'content-type': 'text/plain' }).end('a'.repeat(65_537)),
      'larger',
    ],
  ] as readonly (readonly [string, RequestListener, string])[])('%s is refused', async (_what, listener, why) => {
    const { fetch, requests } = await host(listener)
    await expect(fetch.get('far.example', never)).rejects.toThrow(why)
    expect(requests()).toBe(1)
  })

  it('is not taken from a host with a certificate for another name, or of nobody', async () => {
    const other = await host(plain, { name: 'far.example' })
    await expect(other.fetch.get('far.example', never)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    const nobody = await host(plain, { trusted: false })
    await expect(nobody.fetch.get('far.example', never)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(other.requests() + nobody.requests()).toBe(0)
  })

  it('is not asked for at an address that is not public', async () => {
    const { fetch, requests } = await host(plain, { local: false })
    await expect(fetch.get('far.example', never)).rejects.toThrow('not public')
    expect(requests()).toBe(0)
  })

  it('is waited for no longer than a minute', async () => {
    const clock = new FakeClock()
    let heard = (): void => undefined
    const reached = new Promise<void>((resolve) => (heard = resolve))
    const { fetch } = await host(() => heard(), { clock })
    const end = fetch.get('far.example', never).catch((error: unknown) => error)
    await reached
    await clock.advance(60_000)
    expect(await end).toMatchObject({ code: 'TIMED_OUT' })
  })
})
