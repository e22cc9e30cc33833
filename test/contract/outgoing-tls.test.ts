import { X509Certificate, hash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { makeCertificate } from '../../src/adapters/crypto/x509.ts'
import { createSecureResolver } from '../../src/adapters/net/secure-resolver.ts'
import { createSmtpClient } from '../../src/adapters/smtp/client.ts'
import { destinations } from '../../src/config/sections/destinations.ts'
import { dns } from '../../src/config/sections/dns.ts'
import { smtpRoutes } from '../../src/config/sections/smtp-routes.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import type { Resolver } from '../../src/core/resolver.ts'
import type { SmtpClient } from '../../src/mail/delivery/transport.ts'
import type { StoredStsPolicy } from '../../src/store/sts-policies.ts'
import { dnsServer, dnsType } from '../support/dns-server.ts'
import type { DnsAnswer } from '../support/dns-server.ts'
import { mailPath } from '../support/mail-path.ts'
import { newEntry } from '../support/spool.ts'
import { tlsSmtp } from '../support/tls-smtp.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const day = 86_400_000
const life = { from: new Date(Date.now() - day), until: new Date(Date.now() + day), serial: Buffer.alloc(16, 7) }
const past = { ...life, from: new Date(Date.now() - 9 * day), until: new Date(Date.now() - 8 * day) }
const ca = makeCertificate({ names: ['ca.example'], authority: true, ...life })
const issued = (name: string, when = life) => {
  const { key, cert } = makeCertificate({ names: [name], issuer: ca, ...when })
  return { key, cert: `${cert}${ca.cert}` }
}
const good = issued('mx.far.example')
const stranger = makeCertificate({ names: ['else.example'], ...past })
const keyOf = (pem: string): string =>
  hash('sha256', new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }), 'hex')
const ofHost = (pem: string): string => `3 1 1 ${keyOf(pem)}`
const ofIssuer = `2 0 1 ${hash('sha256', new X509Certificate(ca.cert).raw, 'hex')}`

type Identity = { readonly key: string; readonly cert: string } | null
interface World {
  /** What the mail host shows; null = no STARTTLS. */
  readonly host?: Identity
  readonly dane?: 'none' | 'opportunistic' | 'mandatory'
  readonly tls?: 'preferred' | 'required_verify' | 'no'
  readonly tlsa?: readonly string[]
  /** Over what the zone says, by `TYPE name`. */
  readonly zone?: Readonly<Record<string, DnsAnswer>>
  readonly policy?: Partial<StoredStsPolicy>
  readonly validating?: boolean
  readonly second?: { readonly host: Identity; readonly tlsa: readonly string[] }
  readonly route?: boolean
}

const policyOf = (over: Partial<StoredStsPolicy>): StoredStsPolicy => ({
  domain: 'far.example',
  id: '1',
  mode: 'enforce',
  mx: ['mx.far.example'],
  fetchedAt: new Date(),
  expiresAt: new Date(Date.now() + day),
  ...over,
})

const signed = (name: string, type: 'A' | 'MX' | 'TLSA' | 'CNAME', ...data: readonly string[]): DnsAnswer => ({
  ad: true,
  records: data.map((d) => ({ name, type, data: d })),
})

/** One message to far.example, whose hosts listen here, until it is delivered or waits. */
const send = async (world: World) => {
  const { host = good, dane = 'none', tls = 'preferred', tlsa = [], second, policy } = world
  const servers = [await tlsSmtp(host), ...(second ? [await tlsSmtp(second.host)] : [])]
  for (const server of servers) stops.push(server.close)
  const zone: Record<string, DnsAnswer> = {
    'MX far.example': signed('far.example', 'MX', '1 mx.far.example', ...(second ? ['2 mx2.far.example'] : [])),
    'A mx.far.example': signed('mx.far.example', 'A', '198.51.100.1'),
    'A mx2.far.example': signed('mx2.far.example', 'A', '198.51.100.2'),
    'TLSA _25._tcp.mx.far.example': signed('_25._tcp.mx.far.example', 'TLSA', ...tlsa),
    'TLSA _25._tcp.mx2.far.example': signed('_25._tcp.mx2.far.example', 'TLSA', ...(second?.tlsa ?? [])),
    ...world.zone,
  }
  const names = await dnsServer(({ name, type }) => zone[`${dnsType(type)} ${name}`] ?? { ad: true })
  stops.push(names.close)
  const client = createSmtpClient({ clock: systemClock, authorities: [ca.cert] })
  const smtp: SmtpClient = {
    connect: async (target, options, signal) =>
      await client.connect(
        { ...target, address: '127.0.0.1', port: servers[target.address === '198.51.100.2' ? 1 : 0]?.port ?? 1 },
        options,
        signal,
      ),
  }
  const plain: Resolver = {
    resolve: async (name, type) => {
      await Promise.resolve()
      if (type === 'MX' && name === 'far.example') return [{ exchange: 'mx.far.example', priority: 1 }]
      if (type === 'A' && name === 'mx.far.example') return ['198.51.100.1']
      throw Object.assign(new Error('no'), { code: 'ENODATA' })
    },
    reverse: () => Promise.resolve([]),
  }
  const env = { clock: systemClock, entropy: systemEntropy }
  let asked = 0
  const path = await mailPath({
    resolver: plain,
    smtp,
    secureResolver: createSecureResolver(env, { servers: () => ['127.0.0.1'], port: names.port }),
    stsPolicies: {
      policyOf: async () => {
        await Promise.resolve()
        asked++
        return policy ? policyOf(policy) : null
      },
    },
  })
  stops.push(path.stop)
  path.config.set(dns, { ...dns.defaults, validating: world.validating ?? true })
  path.config.set(destinations, {
    ...destinations.defaults,
    default: { ...destinations.defaults.default, tls, dane, mtaSts: policy !== undefined },
  })
  if (world.route === true) path.config.set(smtpRoutes, [{ domain: 'ALL', hosts: ['[198.51.100.1]:25'] }])
  await path.spool.accept(
    newEntry(1, {
      state: { kind: 'queued' },
      recipients: [{ rid: 0, address: 'x@far.example' }],
      body: Buffer.from('Subject: hi\r\n\r\nBody\r\n'),
      receivedAt: new Date(),
    }),
  )
  await path.queue.start(path.config, new AbortController().signal)
  await Promise.race([path.until('message.finished'), path.until('delivery.delayed')])
  await path.queue.idle()
  const [delayed] = path.of('delivery.delayed')
  return {
    path,
    asked,
    questions: names.asked,
    servers,
    mails: servers.map((s) => s.mails.length),
    basis: path.of('delivery.tls-basis').map((e) => e.basis),
    verified: path.of('delivery.tls').map((e) => e.verifiedFor),
    left: path.of('delivery.host-left').map((e) => e.reason),
    status: delayed?.status ?? null,
    why: delayed?.responses.join(' ') ?? '',
  }
}

describe('DANE', () => {
  it('takes the certificate in the record, whatever its name and date', async () => {
    const end = await send({ dane: 'opportunistic', host: stranger, tlsa: [ofHost(stranger.cert)] })
    expect(end).toMatchObject({ mails: [1], basis: ['dane'], verified: ['far.example'], status: null })
    expect(end.questions.every((q) => q.dnssec)).toBe(true)
  })

  it('sends nothing to a host with another certificate, even one of a trusted authority', async () => {
    const end = await send({ dane: 'opportunistic', tlsa: [ofHost(stranger.cert)] })
    expect(end).toMatchObject({ mails: [0], status: '4.7.4' })
    expect(end.why).toContain('TLSA')
  })

  it('takes a certificate that leads to the authority in the record', async () => {
    const end = await send({ dane: 'mandatory', tlsa: [ofIssuer] })
    expect(end).toMatchObject({ mails: [1], basis: ['dane'], verified: ['far.example'] })
    expect(end.servers[0]?.names[0]).toBe('mx.far.example')
  })

  it.each([
    ['for another name', issued('else.example')],
    ['past its end', issued('mx.far.example', past)],
  ])('takes none that leads there but is %s', async (_what, host) => {
    expect(await send({ dane: 'opportunistic', host, tlsa: [ofIssuer] })).toMatchObject({ mails: [0], status: '4.7.4' })
  })

  it('takes none of a trusted authority that is not in the record', async () => {
    const end = await send({ dane: 'opportunistic', tlsa: [`2 0 1 ${'0'.repeat(64)}`] })
    expect(end).toMatchObject({ mails: [0], status: '4.7.4' })
  })

  it('takes none that only claims to be issued by the authority in the record', async () => {
    const forger = makeCertificate({ names: ['ca.example'], authority: true, ...life })
    const forged = makeCertificate({ names: ['mx.far.example'], issuer: forger, ...life })
    const host = { key: forged.key, cert: `${forged.cert}${ca.cert}` }
    expect(await send({ dane: 'opportunistic', host, tlsa: [ofIssuer] })).toMatchObject({ mails: [0], status: '4.7.4' })
  })

  it('sends nothing in plain text where there are records', async () => {
    const end = await send({ dane: 'opportunistic', host: null, tlsa: [ofHost(good.cert)] })
    expect(end).toMatchObject({ mails: [0], status: '4.7.4' })
  })

  it('demands TLS, and no proof, where no record can be used', async () => {
    const tlsa = [`0 0 1 ${'0'.repeat(64)}`]
    expect(await send({ dane: 'opportunistic', host: stranger, tlsa })).toMatchObject({
      mails: [1],
      basis: ['dane-unusable'],
      verified: [null],
    })
    expect(await send({ dane: 'opportunistic', host: null, tlsa })).toMatchObject({ mails: [0], status: '4.7.4' })
    expect(await send({ dane: 'mandatory', tlsa })).toMatchObject({ mails: [0], status: '4.7.5' })
  })

  it('leaves a host out whose records cannot be learnt, without a connection', async () => {
    const zone = { 'TLSA _25._tcp.mx.far.example': { rcode: 2 } }
    const end = await send({ dane: 'opportunistic', zone })
    expect(end).toMatchObject({ mails: [0], status: '4.7.5' })
    expect(end.left[0]).toContain('ESERVFAIL')
    expect(end.servers[0]?.connections).toBe(0)
  })

  it('goes on to the next host', async () => {
    const second = { host: stranger, tlsa: [ofHost(stranger.cert)] }
    const zone = { 'TLSA _25._tcp.mx.far.example': { rcode: 2 } }
    expect(await send({ dane: 'opportunistic', zone, second })).toMatchObject({ mails: [0, 1], status: null })
  })

  it('lets mail wait whose MX records are bogus', async () => {
    const end = await send({ dane: 'opportunistic', zone: { 'MX far.example': { rcode: 2 } } })
    expect(end).toMatchObject({ mails: [0], status: '4.4.3' })
  })

  const unsigned = (name: string, type: 'A' | 'MX' | 'TLSA', data: string): Readonly<Record<string, DnsAnswer>> => ({
    [`${type} ${name}`]: { ad: false, records: [{ name, type, data }] },
  })
  it.each([
    ['MX records', unsigned('far.example', 'MX', '1 mx.far.example')],
    ['addresses', unsigned('mx.far.example', 'A', '198.51.100.1')],
    ['TLSA records', unsigned('_25._tcp.mx.far.example', 'TLSA', ofHost(stranger.cert))],
  ])('says nothing with unsigned %s, unless it is mandatory', async (_what, zone) => {
    const tlsa = [ofHost(stranger.cert)]
    expect(await send({ dane: 'opportunistic', host: null, tlsa, zone })).toMatchObject({ mails: [1], basis: [] })
    expect(await send({ dane: 'mandatory', tlsa, zone })).toMatchObject({ mails: [0], status: '4.7.5' })
  })

  it('says nothing of a host without records, unless it is mandatory', async () => {
    expect(await send({ dane: 'opportunistic', host: null })).toMatchObject({ mails: [1], basis: [] })
    expect(await send({ dane: 'mandatory' })).toMatchObject({ mails: [0], status: '4.7.5' })
  })

  it('asks nobody where no name server is trusted with DNSSEC', async () => {
    const world = { tlsa: [ofHost(stranger.cert)], validating: false }
    expect(await send({ ...world, dane: 'opportunistic' })).toMatchObject({ mails: [1], questions: [] })
    expect(await send({ ...world, dane: 'mandatory' })).toMatchObject({ mails: [0], status: '4.7.5', questions: [] })
  })

  it('looks under the name behind an alias first', async () => {
    const zone = {
      'A mx.far.example': {
        ad: true,
        records: [
          { name: 'mx.far.example', type: 'CNAME', data: 'host.other.example' },
          { name: 'host.other.example', type: 'A', data: '198.51.100.1' },
        ],
      },
      'TLSA _25._tcp.host.other.example': signed('_25._tcp.host.other.example', 'TLSA', ofHost(good.cert)),
    } as const
    const end = await send({ dane: 'opportunistic', zone, tlsa: [ofHost(stranger.cert)] })
    expect(end).toMatchObject({ mails: [1], basis: ['dane'] })
    expect(end.servers[0]?.names[0]).toBe('host.other.example')
  })

  it('decides where a policy of MTA-STS says otherwise', async () => {
    const policy = { mx: ['elsewhere.example'] }
    const fits = await send({ dane: 'opportunistic', host: stranger, tlsa: [ofHost(stranger.cert)], policy })
    expect(fits).toMatchObject({ mails: [1], basis: ['dane'] })
    const failing = await send({ dane: 'opportunistic', tlsa: [ofHost(stranger.cert)], policy: {} })
    expect(failing).toMatchObject({ mails: [0], status: '4.7.4' })
  })
})

describe('a policy of MTA-STS', () => {
  it('that is enforced is met by a valid certificate for the host', async () => {
    expect(await send({ policy: {} })).toMatchObject({ mails: [1], basis: ['mta-sts'], verified: ['far.example'] })
    expect(await send({ policy: { mx: ['*.far.example'] } })).toMatchObject({ mails: [1], basis: ['mta-sts'] })
  })

  it.each([
    ['no TLS', null],
    ['a certificate of nobody', stranger],
    ['a certificate for another name', issued('else.example')],
    ['a certificate for the domain only', issued('far.example')],
    ['a certificate past its end', issued('mx.far.example', past)],
  ])('that is enforced keeps mail from a host with %s', async (_what, host) => {
    expect(await send({ policy: {}, host })).toMatchObject({ mails: [0], status: '4.7.4' })
  })

  it('that is enforced leaves other hosts out, without a connection', async () => {
    const end = await send({ policy: { mx: ['other.far.example'] } })
    expect(end).toMatchObject({ mails: [0], status: '4.7.5' })
    expect(end.servers[0]?.connections).toBe(0)
    expect(end.left[0]).toContain('policy')
  })

  it('tells why the host failed that it names, not that another is left out', async () => {
    const end = await send({ policy: {}, host: stranger, second: { host: good, tlsa: [] }, dane: 'opportunistic' })
    expect(end).toMatchObject({ mails: [0, 0], status: '4.7.4' })
    expect(end.left).toHaveLength(1)
  })

  it('that is tested stops nothing, and what it would stop is told', async () => {
    const end = await send({ policy: { mode: 'testing', mx: ['other.far.example'] }, host: null })
    expect(end).toMatchObject({ mails: [1], basis: ['mta-sts-testing'] })
    expect(end.path.of('delivery.host-left')[0]).toMatchObject({ testing: true, host: 'mx.far.example' })
    expect(await send({ policy: { mode: 'testing' }, host: stranger })).toMatchObject({ mails: [1], verified: [null] })
  })

  it('is not asked for where a route names the host, nor where TLS is off', async () => {
    expect(await send({ policy: { mx: ['no.example'] }, route: true, host: null })).toMatchObject({
      mails: [1],
      asked: 0,
    })
    expect(await send({ policy: { mx: ['no.example'] }, tls: 'no' })).toMatchObject({ mails: [1], asked: 0 })
  })
})
