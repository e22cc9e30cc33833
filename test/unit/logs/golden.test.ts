import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ProtoEnum, PyFloat } from '../../../src/core/python.ts'
import { localTime } from '../../../src/core/localtime.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { formatLine } from '../../../src/logs/line.ts'
import { renderEvent } from '../../../src/logs/types/index.ts'

/** EDT, the zone of the reference. */
const time = localTime({ at: () => ({ offsetSeconds: -14_400, abbreviation: 'EDT' }), list: () => [] }, () => '')

type Told = readonly [at: string, event: ApplianceEvent]

const written = (log: string, events: readonly Told[]): string =>
  events
    .flatMap(([at, event]) =>
      renderEvent(event, time)
        .filter((line) => line.log === log)
        .map((line) => formatLine(time.stamp(new Date(`${at}-04:00`)), line)),
    )
    .join('')

/** Lines taken from the reference documents, with the settled words of their README. */
const reference = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/logs/${name}.log`, import.meta.url), 'utf8')

const mid = 63280
const icid = 535151
const host = 'ec2-3-136-210-164.us-east-2.compute.amazonaws.com'
const helo = 'ip-172-31-43-120.us-east-2.compute.internal'
const requested = (headerFrom: string | null): ApplianceEvent => ({
  type: 'sdr.requested',
  mid,
  reverseHost: host,
  helo,
  envelopeFrom: 'nowhere.com',
  headerFrom,
  replyTo: null,
})
const neutral: ApplianceEvent = {
  type: 'sdr.verdict',
  mid,
  vocabulary: 'threat_level',
  level: 'neutral',
  category: null,
  suspected: [],
  ageDays: 31,
  ageDomain: 'nowhere.com',
}
const spf = (identity: 'helo' | 'mailfrom', address: string): ApplianceEvent => ({
  type: 'auth.spf',
  mid,
  identity,
  address,
  result: 'None',
  recordFound: false,
  fromCache: true,
})

describe('mail_logs', () => {
  it('tells the story of MID 63280 and its remediation in the words of the reference', () => {
    const t10 = '2022-03-29T20:20:10'
    const events: readonly ApplianceEvent[] = [
      {
        type: 'connection.opened',
        icid,
        listener: 'InboundMail',
        interfaceName: 'Data 1',
        interfaceAddress: '139.138.39.175',
        remoteAddress: '3.136.210.164',
        reverseHost: host,
        reverseVerified: true,
      },
      { type: 'connection.policy', icid, behaviour: 'ACCEPT', senderGroup: 'SUSPECTLIST', match: 'ALL' },
      { type: 'message.started', mid, icid },
      { type: 'message.sender', mid, icid, sender: 'sender@nowhere.com' },
      requested(null),
      neutral,
      { type: 'message.recipient', mid, icid, rid: 0, recipient: 'user@example.com' },
      {
        type: 'auth.spf-cache',
        hits: 1,
        misses: 4,
        expires: 0,
        adds: 4,
        secondsSaved: 0,
        totalSeconds: 0.19,
      },
      spf('helo', `postmaster@${helo}`),
      spf('mailfrom', 'sender@nowhere.com'),
      { type: 'auth.dmarc', mid, outcome: 'skipped', reason: 'No record found for the sending domain' },
      { type: 'message.id', mid, messageId: `<20220330001930.077554@${helo}>` },
      { type: 'message.subject', mid, subject: 'test Wed, 30 Mar 2022 00:19:30 +0000' },
      requested('nowhere.com'),
      neutral,
      {
        type: 'sdr.tracker',
        mid,
        tracker: '6243a23a_JVIrZDoIvR4GOwuWdYp/bCtXutJVP2KkniLr+MPFWVUsgiaiJ7VmkqIVm0GO1SqCVMTBcniAH4UyfNxMlcdiLQ==',
      },
      { type: 'message.ready', mid, bytes: 544, sender: 'sender@nowhere.com' },
      { type: 'policy.matched', mid, policy: '##### URLs in Attachments #####', table: 'inbound' },
      { type: 'connection.closed', icid, how: 'close' },
    ]
    const remediated = (m: number): Told => [
      '2022-03-30T23:26:09',
      {
        type: 'remediation.result',
        mid: m,
        recipient: 'user@example.com',
        action: 'Delete',
        profile: 'bce_demo_com',
        status: 'Remediated',
      },
    ]
    expect(
      written('mail_logs', [
        ...events.map((event): Told => [t10, event]),
        ['2022-03-29T20:20:11', { type: 'message.queued', mid }],
        ['2022-03-29T20:20:12', { type: 'message.finished', mid }],
        remediated(6),
        remediated(7),
      ]),
    ).toBe(reference('mail_logs'))
  })

  it('uses the older names of sender reputation, ages and subjects of the reference', () => {
    const old = 3291517
    const at = '2019-12-03T15:22:44'
    const verdict = (
      m: number,
      level: 'awful' | 'poor',
      category: string | null,
      suspected: readonly string[],
      ageDays: number | null,
      ageDomain: string,
    ): ApplianceEvent => ({
      type: 'sdr.verdict',
      mid: m,
      vocabulary: 'reputation',
      level,
      category,
      suspected,
      ageDays,
      ageDomain,
    })
    expect(
      written('mail_logs', [
        [at, { type: 'connection.tls', icid: 5539460, protocol: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' }],
        [at, { type: 'message.subject', mid: old, subject: "You've Been Nominated for inclusion with Who's Who" }],
        [
          at,
          {
            type: 'sdr.requested',
            mid: old,
            reverseHost: null,
            helo: 'xxx1.xxx.com',
            envelopeFrom: 'xxx.com',
            headerFrom: 'xxx.com',
            replyTo: null,
          },
        ],
        [
          '2019-12-03T15:22:46',
          verdict(old, 'awful', null, ['owner@xxx.com', 'owner=xxx.com@xxx.com'], null, 'owner@xxx.com'),
        ],
        ['2019-12-03T15:22:46', { type: 'message.ready', mid: old, bytes: 10011, sender: 'owner@xxx.com' }],
        ['2019-12-03T15:22:46', { type: 'filter.log-entry', mid: old, text: 'MF_URL_Category_all HIT' }],
        ['2019-12-03T15:22:47', { type: 'filter.log-entry', mid: old, text: 'SDR_Verdict_matched_Awful_Poor' }],
        ['2019-12-03T11:07:01', verdict(3265844, 'poor', 'Spam', ['xxx.com'], 21, 'customer@xxx.net')],
        ['2019-12-03T12:57:28', verdict(3277401, 'poor', 'Spam', ['xxxs.com@xxx.com'], 209, 'xxxs.com@xxx.com')],
        ['2019-12-03T10:24:08', verdict(3261075, 'awful', null, ['owner@xxxxxx.us'], null, 'owner@xxx.ca')],
        [
          '2019-12-03T15:18:27',
          verdict(3291182, 'awful', null, ['example.com@xxx.info', 'xxx@.info'], 1, 'example.com@xxx.info'),
        ],
      ]),
    ).toBe(reference('sender-reputation'))
  })
})

describe('remediation', () => {
  it('says in the words of the reference what was deleted with which profile', () => {
    const done = (m: number): readonly Told[] => [
      ['2022-03-30T23:26:09', { type: 'remediation.deleted', mid: m, recipient: 'user@example.com' }],
      [
        '2022-03-30T23:26:09',
        { type: 'remediation.succeeded', mid: m, recipient: 'user@example.com', profile: 'bce_demo_com' },
      ],
    ]
    expect(written('remediation', [...done(6), ...done(7)])).toBe(reference('remediation'))
  })
})

describe('ecs', () => {
  it('starts in the words of the reference', () => {
    const url = 'https://produs-retro-api.uce.cmd.cisco.com/v1/retro/device/423AA9781B6766ACXXYY-25CC6C241234'
    const first: readonly ApplianceEvent[] = [
      { type: 'ecs.poller-starting' },
      { type: 'ecs.remediation-notified' },
      { type: 'ecs.cloud-polling-starting' },
      { type: 'ecs.remediation-initiated' },
      { type: 'ecs.remediation-idle' },
      { type: 'ecs.poll-started' },
      { type: 'ecs.query', url, parameters: { page_size: 10, since: '2023-06-26T12:06:28Z' } },
      { type: 'ecs.pruning-starting' },
      { type: 'ecs.retro-polling-starting' },
    ]
    const then: readonly ApplianceEvent[] = [
      { type: 'ecs.none-found' },
      { type: 'ecs.response', response: {} },
      { type: 'ecs.poll-finished' },
    ]
    expect(
      written('ecs', [
        ...first.map((e): Told => ['2023-06-26T13:06:28', e]),
        ...then.map((e): Told => ['2023-06-26T13:06:29', e]),
      ]),
    ).toBe(reference('ecs-start'))
  })

  it('tells of an expired token, the new registration, retrospections and the alert in the words of the reference', () => {
    const device = '420D4F36AAEBC0093B4F-B9E72189A021'
    const url = `https://betaus-retro-api.uce.cmd.cisco.com/v1/retro/device/${device}`
    const register = `https://beta-register-api.uce.cmd.cisco.com/v1/register/device/${device}`
    const malicious = { taxonomy_id: 4, taxonomy_entry_id: 3, tag_type_id: 1 }
    const retro = (value: string, emailId: string, timestamp: string) => ({
      observable: { observable_type: 'url', value },
      context_tags: [malicious],
      email_id: emailId,
      timestamp,
      org_id: 'cisco',
      verdict: malicious,
      taxonomy_map_version: 1,
    })
    const first = 'http://phish.cua.com/test_url_2022032402rks'
    const last = 'http://phish.cua.com/test_url_2022032901_rks'
    const told: readonly (readonly [string, ApplianceEvent])[] = [
      ['24', { type: 'ecs.poll-started' }],
      ['24', { type: 'ecs.query', url, parameters: { page_size: 20, since: '2022-03-29T23:20:24Z' } }],
      [
        '27',
        {
          type: 'ecs.http',
          url: `${url}?since=2022-03-29T23%3A20%3A24Z&page_size=20`,
          status: 403,
          response: '{"message":"Token Expired"}',
        },
      ],
      ['27', { type: 'ecs.query-failed', reason: 'Token Expired.' }],
      [
        '27',
        {
          type: 'ecs.registering',
          url: register,
          payload: { org_id: 'cisco', model: 'C300V', version: '14.2.0-468', type: 'esa-ces' },
        },
      ],
      ['33', { type: 'ecs.http', url: register, status: 201, response: null }],
      ['33', { type: 'ecs.registered' }],
      ['33', { type: 'ecs.token-stored' }],
      ['33', { type: 'ecs.registration-status-updated' }],
      ['33', { type: 'ecs.token-retry' }],
      [
        '34',
        {
          type: 'ecs.response',
          response: {
            retros: [
              retro(first, 'd5feb7d4-fe00-4568-9bb7-769a5bc7886e', '2022-03-30T00:17:13Z'),
              retro(first, 'c5fb612c-e1b1-42aa-aaa2-643009c803a1', '2022-03-30T00:19:24Z'),
              retro(last, '2ed41b55-bdec-49fd-abfa-45a876fc10d6', '2022-03-30T00:20:25Z'),
            ],
            more: false,
          },
        },
      ],
      ['34', { type: 'ecs.poll-finished' }],
      ['34', { type: 'ecs.verdict-update', items: [{ messageId: `<20220330001930.077554@${helo}>`, url: last }] }],
      ['34', { type: 'ecs.notifying-remediation' }],
      ['34', { type: 'ecs.remediation-notified' }],
      ['34', { type: 'ecs.remediation-initiated' }],
      ['34', { type: 'ecs.remediation-idle' }],
    ]
    expect(
      written(
        'ecs',
        told.map(([second, event]): Told => [`2022-03-29T20:20:${second}`, event]),
      ),
    ).toBe(reference('ecs-retrospection'))
  })
})

describe('url_rep_client', () => {
  it('renders real requests and answers as the reference shows them', () => {
    const url = 'http://phish.cua.com/test_url_2022032901_rks'
    const connectionGuid = 'Eme4o07gTA+a85XUX1xgPQ=='
    const messageGuid = 'LtQbVb3sSf2r+kWodvwQ1g=='
    const on = (thread: number, source = 'antispam') => ({ mid, thread, source })
    const answers = { [url]: [{ no_reputation_score: 1, aup_cat_id: ['nocat'], threat_level_id: 6 }] }
    const reply = {
      ursv2_response: 1,
      reply: [[{ no_reputation_score: 1, aup_cat_id: ['nocat'], threat_level_id: 6 }]],
      unscannable_errors: [],
    }
    const summary = { total: 1, passed: 1, failed: 0, unscanned: 0, allowed: 0 }
    const t10: readonly ApplianceEvent[] = [
      { type: 'url-rep.started', ...on(25), connectionGuid, messageGuid },
      {
        type: 'url-rep.requested',
        ...on(25),
        request: {
          case_ver: '3.11.0',
          _request_expiry: new PyFloat(1648599627.466696),
          ver: 1,
          args: [url],
          mid,
          msg_guid: messageGuid,
          is_outbound: 0,
          ignore_cache: 0,
          connection_guid: connectionGuid,
          id: '12815.1648599610',
        },
      },
      {
        type: 'url-rep.wire-request',
        ...on(25),
        payload: {
          app_info: {
            device_id: '420D4F36AAEBC009XXYY-B9E721891234',
            product_family: 'esa-ces',
            product_id: 'C300V',
            product_version: '14.2.0-468',
          },
          connection: { guid: connectionGuid },
          msg_guid: messageGuid,
          url: [{ raw_url: url, source: new ProtoEnum('URL_LOCATION_EMAIL_BODY') }],
          no_reputation_block_threshold: true,
        },
      },
    ]
    const t11: readonly ApplianceEvent[] = [
      {
        type: 'url-rep.wire-response',
        ...on(107),
        payload: {
          connection_guid: connectionGuid,
          msg_guid: messageGuid,
          result: [{ result: { threat_level_id: 6, no_reputation_score: true } }],
          aup_cat_map_version: 10,
          threat_cat_map_version: 3,
          threat_level_map_version: 1,
          tag_map_version: 1,
        },
      },
      { type: 'url-rep.batch-received', ...on(107), seconds: 0.12, urls: 1 },
      { type: 'url-rep.parsed', thread: 107, results: [{ no_reputation_score: true, threat_level_id: 6 }] },
      { type: 'url-rep.unscored', ...on(107), messageGuid, urls: [url] },
      { type: 'url-rep.batch-response', ...on(107), urls: answers },
      { type: 'url-rep.information', ...on(25), asked: [url], answers },
      { type: 'url-rep.reply', ...on(25), reply },
      { type: 'url-rep.summary', ...on(25), ...summary, seconds: 0.17 },
      { type: 'url-rep.started', ...on(26, 'work_queue'), connectionGuid, messageGuid },
      {
        type: 'url-rep.requested',
        ...on(26, 'work_queue'),
        request: {
          origin: 'work_queue',
          _request_expiry: new PyFloat(1648599627.925639),
          source: 3,
          args: [url],
          mid,
          msg_guid: messageGuid,
          is_outbound: 0,
          connection_guid: connectionGuid,
          id: 66,
        },
      },
      { type: 'url-rep.cache-hits', ...on(26, 'work_queue'), hits: 1, seconds: 0 },
      { type: 'url-rep.information', ...on(26, 'work_queue'), asked: [url], answers },
      { type: 'url-rep.reply', ...on(26, 'work_queue'), reply },
      { type: 'url-rep.summary', ...on(26, 'work_queue'), ...summary, seconds: 0 },
    ]
    expect(
      written('url_rep_client', [
        ...t10.map((e): Told => ['2022-03-29T20:20:10', e]),
        ...t11.map((e): Told => ['2022-03-29T20:20:11', e]),
      ]),
    ).toBe(reference('url_rep_client'))
  })
})

describe('lines of connections', () => {
  const lines = (event: ApplianceEvent): readonly string[] =>
    renderEvent(event, time).flatMap((l) => (l.log === 'mail_logs' ? [l.text] : []))

  it('of an incoming relay have the words of the reference', () => {
    const told = { type: 'message.incoming-relay', mid: 3291517, relay: 'PROD_TO_BETA', header: 'Received' } as const
    const address = '172.20.245.245'
    expect(lines({ ...told, found: 'address', address, reputation: '-1.9', country: 'United States' })).toEqual([
      'MID 3291517 IncomingRelay(PROD_TO_BETA): Header Received found, IP 172.20.245.245 being used, SBRS -1.9 country United States',
    ])
    expect(lines({ ...told, found: 'nothing', address: null, reputation: '' })).toEqual([
      'MID 3291517 IncomingRelay(PROD_TO_BETA): Header Received not found',
    ])
    expect(lines({ ...told, found: 'header', address: null, reputation: '' })).toEqual([
      'MID 3291517 IncomingRelay(PROD_TO_BETA): Could not find valid IP address in header',
    ])
  })
})
