import { describe, expect, it } from 'vitest'
import { parseHostEntry } from '../../../../src/config/host-entries.ts'
import { defaultHostAccess, plainPolicy } from '../../../../src/config/sections/host-access.ts'
import type { SenderGroup } from '../../../../src/config/sections/host-access.ts'
import { defaultListener, listeners } from '../../../../src/config/sections/listeners.ts'
import type { Listener } from '../../../../src/config/sections/listeners.ts'
import type { AddressScore } from '../../../../src/intel/address-score.ts'
import { decideHost, flowOfMessage, mailFlow } from '../../../../src/mail/smtp/host-access.ts'

interface Client {
  readonly address?: string
  readonly host?: string
  readonly verified?: boolean
  readonly score?: AddressScore
  readonly lists?: readonly string[]
  readonly country?: string
}

const asked: string[] = []
const decide = (listener: Listener, client: Client = {}) => {
  asked.length = 0
  const {
    address = '192.0.2.1',
    host = null,
    verified = true,
    score = { kind: 'none' },
    lists = [],
    country = null,
  } = client
  return decideHost(listener, {
    address,
    reverse: async () => {
      asked.push('reverse')
      return { host, verified }
    },
    score: async () => {
      asked.push('score')
      return score
    },
    listed: async (zone) => {
      asked.push(zone)
      return lists.includes(zone)
    },
    country: () => country,
  })
}
const group = (name: string, hosts: string[], policy: string): SenderGroup => ({ name, hosts, policy, comment: '' })
const withGroups = (...groups: SenderGroup[]): Listener => ({
  ...defaultListener,
  hostAccess: { ...defaultListener.hostAccess, groups, otherwise: '$ACCEPTED' },
})

describe('an entry of a sender group', () => {
  it.each([
    ['geo[DE]', 'DE', true],
    ['geo[DE]', 'FR', false],
    ['geo[germany]', 'DE', true],
    ['geo[DE]', undefined, false],
  ])('%s and a client from %s: %s', async (entry, country, expected) => {
    const { senderGroup } = await decide(
      withGroups(group('G', [entry], '$TRUSTED')),
      country === undefined ? {} : { country },
    )
    expect(senderGroup).toBe(expected ? 'G' : null)
    expect(asked).toEqual([])
  })

  it('that names no country is none', () => {
    for (const text of ['geo[XQ]', 'geo[]', 'geo[EU]', 'geo[DEU]', 'geo[Nowhere]', 'geo[D,E]'])
      expect(parseHostEntry(text).ok).toBe(false)
    expect(parseHostEntry(' Geo[united states] ')).toMatchObject({ ok: true, value: { text: 'geo[US]' } })
  })

  it.each([
    ['10.1.1.0/24', '10.1.1.255', true],
    ['10.1.1.0/24', '10.1.2.0', false],
    ['10.1.1.10-20', '10.1.1.20', true],
    ['10.1.1.10-20', '10.1.1.21', false],
    ['10.1.1.250-10.1.2.5', '10.1.2.5', true],
    ['10.1.1.250-10.1.2.5', '10.1.2.6', false],
    ['2001:db8::1-2001:db8::ff', '2001:db8::80', true],
    ['2001:db8::1-2001:db8::ff', '2001:db8::100', false],
    ['10.1.', '10.1.200.7', true],
    ['10.1.', '10.2.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['::ffff:0:0/96', '192.0.2.1', false],
    ['ALL', '2001:db8::1', true],
  ])('%s and %s: %s', async (entry, address, expected) => {
    const { senderGroup } = await decide(withGroups(group('G', [entry], '$TRUSTED')), { address })
    expect(senderGroup).toBe(expected ? 'G' : null)
    expect(asked).toEqual([])
  })

  it.each([
    ['crm.example.com', { host: 'CRM.example.com' }, true],
    ['crm.example.com', { host: 'crm.example.com', verified: false }, false],
    ['crm.example.com', { host: 'x.crm.example.com' }, false],
    ['.example.com', { host: 'x.crm.example.com' }, true],
    ['.example.com', { host: 'example.com' }, false],
    ['sbrs[-10.0:-3.0]', { score: { kind: 'score', score: -3 } }, true],
    ['sbrs[-10.0:-3.0]', { score: { kind: 'score', score: -2.9 } }, false],
    ['sbrs[-10:10]', { score: { kind: 'none' } }, false],
    ['SBRS[NONE]', { score: { kind: 'unavailable' } }, true],
    ['sbrs[none]', { score: { kind: 'score', score: 0 } }, false],
    ['dnslist[bl.example]', { lists: ['bl.example'] }, true],
    ['dnslist[bl.example]', { lists: ['other.example'] }, false],
  ] as const)('%s and a client with %j: %s', async (entry, client, expected) => {
    const { senderGroup } = await decide(withGroups(group('G', [entry], '$TRUSTED')), client)
    expect(senderGroup).toBe(expected ? 'G' : null)
  })

  it.each([
    '10.1.1.0/33',
    '10.1.1.20-10',
    '10.1.1.300',
    '300.',
    'sbrs[3:1]',
    'sbrs[-11:0]',
    'dnslist[]',
    'a b',
    '',
    '10.1.1.1/24/3',
  ])('is not %j', (text) => expect(parseHostEntry(text).ok).toBe(false))

  it('has one canonical form', () => {
    const form = (text: string) => parseHostEntry(text)
    expect(form('SBRS[-10:-3]')).toMatchObject({ value: { text: 'sbrs[-10.0:-3.0]' } })
    expect(form('all')).toMatchObject({ value: { text: 'ALL' } })
    expect(form('CRM.Example.com')).toMatchObject({ value: { text: 'crm.example.com' } })
  })
})

describe('the Host Access Table', () => {
  it('is read from top to bottom, and asks only what an entry needs', async () => {
    const listener = withGroups(
      group('FIRST', ['10.0.0.0/8', 'dnslist[bl.example]'], 'REJECT'),
      group('SECOND', ['192.0.2.0/24'], '$TRUSTED'),
      group('THIRD', ['sbrs[none]'], '$BLOCKED'),
    )
    expect(await decide(listener)).toMatchObject({ senderGroup: 'SECOND', match: '192.0.2.0/24' })
    expect(asked).toEqual(['bl.example'])
  })

  it('goes on after CONTINUE', async () => {
    const listener = withGroups(group('A', ['ALL'], 'CONTINUE'), group('B', ['ALL'], '$THROTTLED'))
    const { senderGroup, flow } = await decide(listener)
    expect([senderGroup, flow.policy, flow.maxRecipientsPerHour]).toEqual(['B', 'THROTTLED', 20])
  })

  it.each([
    ['public', { kind: 'none' }, 'UNKNOWNLIST', 'ACCEPT'],
    ['public', { kind: 'private' }, 'UNKNOWNLIST', 'ACCEPT'],
    ['public', { kind: 'score', score: -9.5 }, 'BLOCKED_LIST', 'REJECT'],
    ['public', { kind: 'score', score: -2 }, 'SUSPECTLIST', 'ACCEPT'],
    ['public', { kind: 'score', score: 5.5 }, 'UNKNOWNLIST', 'ACCEPT'],
    ['private', { kind: 'none' }, null, 'REJECT'],
  ] as const)('of a new %s listener puts a client with %j into %s: %s', async (type, score, name, behaviour) => {
    const decision = await decide({ ...defaultListener, type, hostAccess: defaultHostAccess(type) }, { score })
    expect([decision.senderGroup, decision.flow.behaviour]).toEqual([name, behaviour])
  })

  it('gives the parameters of the policy, and the defaults of the listener where the policy has none', () => {
    const policy = { ...plainPolicy('P', 'ACCEPT'), maxRecipients: 3, sdr: false, limitText: '' }
    const listener = {
      ...defaultListener,
      limitText: 'slow',
      hostAccess: { policies: [policy], groups: [], otherwise: '$P' },
    }
    expect(mailFlow(listener, '$P')).toMatchObject({
      maxRecipients: 3,
      sdr: false,
      limitText: '',
      spf: true,
      policy: 'P',
    })
    expect(mailFlow(listener, 'RELAY')).toMatchObject({ behaviour: 'RELAY', limitText: 'slow', policy: null })
    expect(mailFlow(listener, '$GONE').behaviour).toBe('REJECT')
  })

  it('tells the flow of a message by its sender group, also when the group is gone', () => {
    const at = (senderGroup: string | null, listener = 'IncomingMail') =>
      flowOfMessage([defaultListener], { listener, senderGroup })
    expect(at('SUSPECTLIST')?.policy).toBe('THROTTLED')
    expect(at('NEVER')?.policy).toBe('ACCEPTED')
    expect(at(null)?.policy).toBe('ACCEPTED')
    expect(at(null, 'Gone')).toBeNull()
  })
})

it('brings a listener of version 1 forward, without the entries that nothing can read', () => {
  const { name, type, interfaceName, address, port } = defaultListener
  const old = [
    {
      name,
      type,
      interfaceName,
      address,
      port,
      acceptDomains: ['a.example'],
      relayHosts: ['10.0.0.0/8', 'nonsense here'],
    },
  ]
  const [next] = listeners.migrations?.[1]?.(old) as Listener[]
  expect(next?.recipientAccess).toEqual([
    {
      address: 'a.example',
      access: 'accept',
      bypassLimits: false,
      bypassValidation: false,
      replyCode: null,
      replyText: null,
    },
  ])
  expect(next?.hostAccess.groups[0]).toMatchObject({ name: 'RELAYLIST', hosts: ['10.0.0.0/8'], policy: '$RELAYED' })
  expect(next?.hostAccess.otherwise).toBe('$ACCEPTED')
})
