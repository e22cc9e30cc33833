import { describe, expect, it } from 'vitest'
import { acceptEntry, defaultListener, listeners } from '../../../../src/config/sections/listeners.ts'
import { mailPolicies } from '../../../../src/config/sections/mail-policies.ts'
import { messageFilters } from '../../../../src/config/sections/message-filters.ts'
import { remediation } from '../../../../src/config/sections/remediation.ts'
import { urlFiltering } from '../../../../src/config/sections/url-filtering.ts'
import { urlRetrospection } from '../../../../src/config/sections/url-retrospection.ts'
import { prerequisites } from '../../../../src/shell/format/retro-check.ts'
import { TestConfig } from '../../../support/retro.ts'

const status = {
  state: 'Connected' as const,
  detail: 'the last poll was answered',
  lastPollAt: null,
  watched: 0,
  pending: 0,
}
const filter = {
  name: 'bad_urls',
  description: '',
  logic: 'or' as const,
  conditions: ['url-reputation(-10.0, -6.0, "")'],
  actions: ['drop()'],
}
const complete = (): TestConfig => {
  const config = new TestConfig()
  config.set(urlRetrospection, { enabled: true })
  config.set(urlFiltering, { marEnabled: true })
  const table = { policies: [], defaultContentFilters: ['bad_urls'], contentFilters: [filter] }
  config.set(mailPolicies, { incoming: table })
  return config
}
const missing = (config: TestConfig, now: Parameters<typeof prerequisites>[1] = status): readonly number[] =>
  prerequisites(config, now, '0.1.0').flatMap((p, i) => (p.holds ? [] : [i + 1]))

describe('the seven points of the troubleshooting list', () => {
  it('all hold when everything is set', () => {
    expect(missing(complete())).toEqual([])
  })

  it('name what is missing, each by itself, with a command that mends it', () => {
    const broken: readonly (readonly [readonly number[], (config: TestConfig) => void])[] = [
      [[1], (c) => c.set(urlRetrospection, { enabled: false })],
      [[2], (c) => c.set(urlFiltering, { marEnabled: false })],
      [[1, 3], (c) => c.set(urlFiltering, { enabled: false })],
      [
        [4],
        (c) => c.set(mailPolicies, { incoming: { policies: [], defaultContentFilters: [], contentFilters: [filter] } }),
      ],
      [[5, 6], (c) => c.set(remediation, { profiles: [], domainMap: [] })],
      [[6], (c) => c.set(remediation, { domainMap: [{ domain: 'example.org', profile: 'embedded_mailboxes' }] })],
    ]
    for (const [points, change] of broken) {
      const config = complete()
      change(config)
      expect(missing(config)).toEqual(points)
      for (const p of prerequisites(config, status, '0.1.0')) if (!p.holds) expect(p.mend.length).toBeGreaterThan(0)
    }
    expect(missing(complete(), { ...status, state: 'Unavailable' })).toEqual([1])
  })

  it('take a message filter for a content filter, and tell of a filter that no policy uses', () => {
    const config = complete()
    config.set(mailPolicies, { incoming: { policies: [], defaultContentFilters: [], contentFilters: [filter] } })
    const [, , , point] = prerequisites(config, status, '0.1.0')
    expect(point?.found).toContain('Of no policy: bad_urls.')
    config.set(messageFilters, [{ name: 'm', active: true, script: 'if (url-no-reputation("")) { drop(); }' }])
    expect(missing(config)).toEqual([])
  })

  it('name the domains that mail is accepted for without a mapping', () => {
    const config = complete()
    const recipientAccess = ['example.com', 'joe@other.example', '.sub.example', 'ALL'].map(acceptEntry)
    config.set(listeners, [{ ...defaultListener, recipientAccess }])
    config.set(remediation, { domainMap: [{ domain: 'example.com', profile: 'embedded_mailboxes' }] })
    const point = prerequisites(config, status, '0.1.0')[5]
    expect(point?.found).toContain('Mail is accepted for, but not mapped: other.example.')
  })
})
