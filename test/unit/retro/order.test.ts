import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ecsLines } from '../../../src/logs/types/ecs.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { settle } from '../../support/fake-clock.ts'
import { QUERY_URL, REGISTER_URL, answer, retroRig } from '../../support/retro.ts'
import type { RetroRig } from '../../support/retro.ts'

const live = new AbortController().signal

/** The ecs log as it would be written, without the stamps. */
const ecs = (events: readonly ApplianceEvent[]): readonly string[] =>
  events.flatMap((e) => {
    const routes =
      (ecsLines as unknown as Readonly<Record<string, readonly { render(e: unknown): unknown }[]>>)[e.type] ?? []
    return routes.map((r) => r.render(e) as { level: string; text: string }).map((l) => `${l.level}: ${l.text}`)
  })

describe('the order of the ecs log', () => {
  let rig: RetroRig
  beforeEach(async () => {
    rig = await retroRig('2023-06-26T13:06:28Z')
  })
  afterEach(() => rig.end())

  it('is that of the 2023 reference when a registered service starts', async () => {
    await rig.store.register({ token: 't', regionUri: 'https://retro.intel.example', registerUrl: REGISTER_URL })
    await rig.retro.start(rig.config, live)
    await settle()
    expect(ecs(rig.events)).toEqual([
      'Debug: ECS: Starting Retro MAR poller',
      'Debug: ECS: Remediation service notified.',
      'Info: ECS: Starting cloud service polling',
      'Debug: ECS: Initiating remediation',
      'Info: ECS: No data pending for remediation.',
      'Debug: ECS: Start polling',
      `Debug: ECS: Querying URL '${QUERY_URL}' with parameters: {'page_size': 10, 'since': '2023-06-26T12:06:28Z'}`,
      'Debug: ECS: Starting Pruning Thread',
      'Info: ECS: Starting URL retrospective polling',
      'Info: ECS: No retrospections found.',
      'Trace: ECS: Cloud retro response: {}',
      'Debug: ECS: Finish polling',
    ])
  })

  it('is that of the 2022 reference when a token has expired and one retrospection is new', async () => {
    await rig.store.register({ token: 'old', regionUri: 'https://retro.intel.example', registerUrl: REGISTER_URL })
    const url = 'http://phish.cua.com/test_url_2022032901_rks'
    await rig.retro.watch([{ rootMid: 63280, messageId: '<a.077554@x.internal>', url, direction: 'incoming' }])
    await rig.retro.poll(live)
    rig.events.length = 0
    const emailId = rig.api.submissions[0]?.emailId ?? ''
    rig.api.retros = [{ emailId, url, at: '2023-06-26T13:05:25Z' }]
    rig.api.next.query = [answer(403, { message: 'Token Expired' })]
    await rig.retro.poll(live)
    const asked = `${QUERY_URL}?since=2023-06-26T12%3A06%3A28Z&page_size=10`
    const payload = `{'org_id': 'lychgate', 'model': 'Lychgate', 'version': '0.1.0', 'type': 'gateway'}`
    const tag = `{'taxonomy_id': 4, 'taxonomy_entry_id': 3, 'tag_type_id': 1}`
    expect(ecs(rig.events)).toEqual([
      'Debug: ECS: Start polling',
      `Debug: ECS: Querying URL '${QUERY_URL}' with parameters: {'page_size': 10, 'since': '2023-06-26T12:06:28Z'}`,
      `Trace: ECS: URL ${asked}, Status 403, Response {"message":"Token Expired"}`,
      `Warning: ECS: Cloud query failed. 'Token Expired.'`,
      `Debug: ECS: Connecting to register api url ${REGISTER_URL} with payload ${payload}`,
      `Trace: ECS: URL ${REGISTER_URL}, Status 201`,
      'Info: ECS: Device registration is successful',
      'Debug: ECS: Successfully updated region uri and token in database',
      'Debug: ECS: Updated device registration status',
      'Info: ECS: Token Expired/Invalid. Retrying.',
      `Trace: ECS: Cloud retro response: {'retros': [{'observable': {'observable_type': 'url', 'value': '${url}'}, ` +
        `'context_tags': [${tag}], 'email_id': '${emailId}', 'timestamp': '2023-06-26T13:05:25Z', ` +
        `'org_id': 'lychgate', 'verdict': ${tag}, 'taxonomy_map_version': 1}], 'more': False}`,
      'Debug: ECS: Finish polling',
      'Info: URL verdict update received from retrospective service.\n' +
        'Corresponding message ids & URLs are as follows:\n\n' +
        '<a.077554@x.internal> : BLOCKEDphish[.]cua[.]com/test_url_2022032901_rksBLOCKED',
      'Debug: ECS: Notifying Remediation Service from Polling Service',
      'Debug: ECS: Remediation service notified.',
      'Debug: ECS: Initiating remediation',
      'Info: ECS: No data pending for remediation.',
    ])
    expect(rig.api.queries.slice(-2)).toEqual(Array(2).fill({ since: '2023-06-26T12:06:28Z', pageSize: 10 }))
    expect(rig.store.registration()?.token).toBe('token-1')
    expect(rig.alerts).toEqual([
      {
        class: 'URL Retrospection',
        severity: 'Warning',
        text:
          'URL verdict update received from retrospective service.\n' +
          'Corresponding message ids & URLs are as follows:\n\n' +
          '<a.077554@x.internal> : BLOCKEDphish[.]cua[.]com/test_url_2022032901_rksBLOCKED',
      },
    ])
  })

  it('never holds a token', async () => {
    await rig.retro.poll(live)
    expect(JSON.stringify(rig.events)).not.toContain('token-1')
    expect(rig.store.registration()?.token).toBe('token-1')
  })
})
