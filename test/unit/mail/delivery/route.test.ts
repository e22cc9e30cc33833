import { describe, expect, it } from 'vitest'
import type { Resolver } from '../../../../src/core/resolver.ts'
import { isPublicAddress } from '../../../../src/core/public-address.ts'
import { nextHops } from '../../../../src/mail/delivery/next-hop.ts'
import { loginFor, parseRouteHost, routeFor } from '../../../../src/mail/delivery/route.ts'
import { interfaces } from '../../../../src/config/sections/interfaces.ts'
import { seededEntropy } from '../../../support/env.ts'
import { sourceFor } from '../../../../src/mail/delivery/source.ts'

const entropy = seededEntropy()
const US = { hostname: 'mail.example.com', addresses: ['203.0.113.99'] }
const error = (code: string) => Object.assign(new Error(code), { code })
const zone = (records: Readonly<Record<string, unknown>>): Resolver => ({
  reverse: () => Promise.reject(error('ENOTFOUND')),
  resolve: async (name, type) => {
    const answer = records[`${name} ${type}`]
    if (typeof answer === 'string') throw error(answer)
    if (answer !== undefined) return answer
    throw error(Object.keys(records).some((k) => k.startsWith(`${name} `)) ? 'ENODATA' : 'ENOTFOUND')
  },
})
const mx = (domain: string, records: Readonly<Record<string, unknown>>) =>
  nextHops({ kind: 'mx' }, domain, zone(records), US, entropy)

describe('a route', () => {
  const routes = [
    { domain: 'ALL', hosts: ['relay.example:26'] },
    { domain: '.sub.example', hosts: ['USEDNS'] },
    { domain: 'a.sub.example', hosts: ['/dev/null'] },
    { domain: 'box.example', hosts: ['MAILBOXES'] },
  ]
  it.each([
    ['a.sub.example', 'discard'],
    ['b.sub.example', 'mx'],
    ['x.b.sub.example', 'mx'],
    ['sub.example', 'hosts'],
    ['box.example', 'mailboxes'],
    ['local.example', 'mailboxes'],
    ['other.example', 'hosts'],
  ])('for %s is %s', (domain, kind) => {
    expect(routeFor(domain, routes, (d) => d === 'local.example').kind).toBe(kind)
  })
  it('without a default is DNS', () => {
    expect(routeFor('x.example', [], () => false)).toEqual({ kind: 'mx' })
  })
  it.each([
    ['mail.example', { host: 'mail.example', port: 25, exact: false }],
    ['mail.example:2525', { host: 'mail.example', port: 2525, exact: false }],
    ['[10.1.1.1]:26', { host: '10.1.1.1', port: 26, exact: true }],
    ['[mail.example]', { host: 'mail.example', port: 25, exact: true }],
    ['10.1.1.1', { host: '10.1.1.1', port: 25, exact: true }],
    ['127.0.0.1:2526', { host: '127.0.0.1', port: 2526, exact: true }],
    ['::1', { host: '::1', port: 25, exact: true }],
    ['[::1]:2526', { host: '::1', port: 2526, exact: true }],
  ])('host %s is read', (text, host) => {
    expect(parseRouteHost(text)).toEqual(host)
  })
})

describe('the next hop by DNS', () => {
  it('is the best MX first, with the addresses of each', async () => {
    const hops = await mx('d.example', {
      'd.example MX': [
        { exchange: 'b.example', priority: 20 },
        { exchange: 'a.example', priority: 10 },
      ],
      'a.example A': ['203.0.113.1'],
      'b.example A': ['203.0.113.2'],
      'b.example AAAA': ['2001:db8::2'],
    })
    expect(hops).toMatchObject({
      ok: true,
      targets: [{ address: '203.0.113.1' }, { address: '203.0.113.2' }, { address: '2001:db8::2' }],
    })
  })
  it('takes hosts of one preference in changing order', async () => {
    const names = ['a', 'b', 'c'].map((n) => `${n}.example`)
    const records = Object.fromEntries(names.map((n, i) => [`${n} A`, [`203.0.113.${i + 1}`]]))
    const firsts = new Set<string>()
    for (let n = 0; n < 30; n++) {
      const exchange = [{ exchange: 'z.example', priority: 20 }, ...names.map((e) => ({ exchange: e, priority: 10 }))]
      const hops = await mx('d.example', { 'd.example MX': exchange, ...records, 'z.example A': ['203.0.113.9'] })
      if (!hops.ok) throw new Error(hops.failure.response)
      firsts.add(hops.targets[0]?.host ?? '')
      expect(hops.targets[3]?.host).toBe('z.example')
    }
    expect([...firsts].sort()).toEqual(names)
  })
  it('passes over what cannot be looked up for now, while other hosts or addresses are known', async () => {
    const two = [
      { exchange: 'a.example', priority: 10 },
      { exchange: 'b.example', priority: 20 },
    ]
    const known = { 'd.example MX': two, 'b.example A': ['203.0.113.2'], 'b.example AAAA': 'ESERVFAIL' }
    expect(await mx('d.example', { ...known, 'a.example A': 'ESERVFAIL' })).toMatchObject({
      ok: true,
      targets: [{ address: '203.0.113.2' }],
    })
    // Nothing is given up for good while a look-up failed.
    for (const b of [{}, { 'b.example A': ['10.0.0.1'] }])
      expect(await mx('d.example', { 'd.example MX': two, 'a.example A': 'ETIMEOUT', ...b })).toMatchObject({
        ok: false,
        failure: { permanent: false, status: '4.4.3' },
      })
    const ours = [{ exchange: 'mail.example.com', priority: 10 }, ...two.slice(1)]
    const back = await mx('d.example', { ...known, 'd.example MX': ours, 'mail.example.com A': 'ESERVFAIL' })
    expect(back).toMatchObject({ ok: false })
  })
  it('is the domain itself without an MX', async () => {
    expect(await mx('d.example', { 'd.example A': ['203.0.113.1'] })).toEqual({
      ok: true,
      targets: [{ address: '203.0.113.1', port: 25, host: 'd.example' }],
    })
  })
  it.each([
    ['does not exist', {}, true, '5.1.2'],
    ['has a null MX', { 'd.example MX': [{ exchange: '', priority: 0 }] }, true, '5.1.10'],
    ['fails for now', { 'd.example MX': 'ESERVFAIL' }, false, '4.4.3'],
    [
      'points at us',
      {
        'd.example MX': [{ exchange: 'a.example', priority: 1 }],
        'a.example A': ['127.0.0.1', '10.0.0.1'],
        'a.example AAAA': ['::1', '::ffff:127.0.0.1'],
      },
      true,
      '5.4.4',
    ],
    ['has an MX without address', { 'd.example MX': [{ exchange: 'a.example', priority: 1 }] }, true, '5.1.2'],
  ])('fails when the domain %s', async (_what, records, permanent, status) => {
    expect(await mx('d.example', records)).toMatchObject({ ok: false, failure: { permanent, status, code: '000' } })
  })
  it('may be private when the operator says so', async () => {
    const route = { kind: 'hosts', hosts: [parseRouteHost('10.0.0.1:26'), parseRouteHost('gone.example')] } as const
    expect(await nextHops(route, 'd.example', zone({}), US, entropy)).toMatchObject({
      ok: true,
      targets: [{ address: '10.0.0.1', port: 26 }],
    })
    expect(
      await nextHops({ kind: 'hosts', hosts: [parseRouteHost('gone.example')] }, 'd.example', zone({}), US, entropy),
    ).toMatchObject({ ok: false, failure: { permanent: false } })
  })
  it('is never ourselves, by name or by address, nor a host that is no better', async () => {
    const records = {
      'd.example MX': [
        { exchange: 'best.example', priority: 5 },
        { exchange: 'us.example', priority: 10 },
        { exchange: 'worse.example', priority: 20 },
      ],
      'best.example A': ['203.0.113.1'],
      'us.example A': ['203.0.113.99'],
      'worse.example A': ['203.0.113.2'],
    }
    const found = await mx('d.example', records)
    expect(found.ok && found.targets.map((t) => t.address)).toEqual(['203.0.113.1'])
    const named = {
      'd.example MX': [{ exchange: 'Mail.Example.com.', priority: 1 }],
      'Mail.Example.com. A': ['203.0.113.7'],
    }
    expect(await mx('d.example', named)).toMatchObject({ ok: false, failure: { permanent: true, status: '5.4.6' } })
  })
  it.each([
    '::127.0.0.1',
    '2002:7f00:1::',
    'fec0::1',
    '198.18.0.1',
    '0.0.0.0',
    '127.1.2.3',
    '10.0.0.1',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1',
    '100::1',
    '2001:20::1',
    '5f00::1',
    'x',
  ])('is never %s by itself', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
  it.each(['203.0.113.1', '172.32.0.1', '2001:db8::1'])('may be %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('the login of a route', () => {
  const routes = [
    { domain: 'ALL', hosts: ['relay.example'] },
    { domain: 'own.example', hosts: ['other.example'] },
  ]
  const logins = [{ domain: 'all', user: 'gate', passphrase: 'secret' }]
  it('is said to the hosts of that route only', () => {
    expect(loginFor('far.example', routes, logins)).toEqual({ user: 'gate', passphrase: 'secret' })
    expect(loginFor('own.example', routes, logins)).toBeNull()
    expect(loginFor('smtp:elsewhere.example', routes, logins)).toBeNull()
  })
})

it('mail goes out from the address of its sender, of its domain, or of its client, in this order', () => {
  const mappings = [
    { match: '10.1.1.1', address: '127.0.0.4' },
    { match: '@b.example', address: '127.0.0.3' },
    { match: 'a@b.example', address: '127.0.0.2' },
  ]
  const from = (sender: string, remoteAddress = '10.1.1.1') =>
    sourceFor({ mid: 1, sender, remoteAddress }, mappings, interfaces.defaults)?.address ?? null
  expect([from('A@b.example'), from('c@B.example'), from('d@e.example'), from('', '10.9.9.9')]).toEqual([
    '127.0.0.2',
    '127.0.0.3',
    '127.0.0.4',
    null,
  ])
})
