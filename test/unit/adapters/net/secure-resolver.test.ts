import { afterEach, describe, expect, it } from 'vitest'
import { createSecureResolver } from '../../../../src/adapters/net/secure-resolver.ts'
import { systemEntropy } from '../../../../src/core/entropy.ts'
import { dnsServer } from '../../../support/dns-server.ts'
import type { DnsAnswer } from '../../../support/dns-server.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})
const never = new AbortController().signal
const world = async (answer: DnsAnswer) => {
  const server = await dnsServer(() => answer)
  stops.push(server.close)
  const resolver = createSecureResolver({ entropy: systemEntropy }, { servers: () => ['127.0.0.1'], port: server.port })
  return { server, resolver }
}
const tlsa = { name: '_25._tcp.mx.example', type: 'TLSA', data: `3 1 1 ${'ab'.repeat(32)}` } as const

describe('an answer of a validating name server', () => {
  it('is secure when the server vouches for it', async () => {
    const { resolver, server } = await world({ ad: true, records: [tlsa] })
    expect(await resolver.resolve('_25._tcp.MX.example', 'TLSA', never)).toEqual({
      secure: true,
      found: 'records',
      records: [`3 1 1 ${'AB'.repeat(32)}`],
      canonical: '_25._tcp.mx.example',
    })
    expect(server.asked[0]).toMatchObject({ dnssec: true, tcp: false })
  })

  it('is not when it does not', async () => {
    const { resolver } = await world({ records: [tlsa] })
    expect(await resolver.resolve(tlsa.name, 'TLSA', never)).toMatchObject({ secure: false, found: 'records' })
  })

  it('that does not fit into a packet comes over TCP', async () => {
    const { resolver, server } = await world({
      ad: true,
      truncated: true,
      records: Array.from({ length: 60 }, () => tlsa),
    })
    expect((await resolver.resolve(tlsa.name, 'TLSA', never)).records).toHaveLength(60)
    expect(server.asked.map((q) => q.tcp)).toEqual([false, true])
  })

  it('may say that there is nothing', async () => {
    const none = await world({ ad: true })
    expect(await none.resolver.resolve('a.example', 'A', never)).toMatchObject({ found: 'no data', secure: true })
    const nobody = await world({ ad: true, rcode: 3 })
    expect(await nobody.resolver.resolve('a.example', 'A', never)).toMatchObject({ found: 'no name', records: [] })
  })

  it('follows aliases, and ends where they go in circles', async () => {
    const alias = (name: string, data: string) => ({ name, type: 'CNAME', data }) as const
    const { resolver } = await world({
      ad: true,
      records: [
        alias('a.example', 'b.example'),
        alias('b.example', 'C.example'),
        { name: 'c.example', type: 'A', data: '192.0.2.1' },
      ],
    })
    expect(await resolver.resolve('a.example', 'A', never)).toMatchObject({
      canonical: 'c.example',
      records: ['192.0.2.1'],
    })
    const circle = await world({ records: [alias('a.example', 'b.example'), alias('b.example', 'a.example')] })
    expect(await circle.resolver.resolve('a.example', 'A', never)).toMatchObject({ found: 'no data' })
  })

  it('that is bogus is a failure', async () => {
    const { resolver } = await world({ rcode: 2 })
    await expect(resolver.resolve('a.example', 'MX', never)).rejects.toMatchObject({ code: 'ESERVFAIL' })
  })

  it('comes from the next server when the first is not there', async () => {
    const { server } = await world({ ad: true, records: [tlsa] })
    const resolver = createSecureResolver(
      { entropy: systemEntropy },
      { servers: () => ['127.0.0.2', '127.0.0.1'], port: server.port },
    )
    expect((await resolver.resolve(tlsa.name, 'TLSA', never)).secure).toBe(true)
  })
})
