import { describe, expect, it } from 'vitest'
import { memberMatches, splitByPolicy } from '../../../../src/mail/policy/match.ts'

const policy = (name: string, senders: string[], recipients: string[]) => ({
  name,
  senders,
  recipients,
  contentFilters: [],
})
const table = {
  policies: [
    policy('special_people', [], ['joe@', 'ann@']),
    policy('from_lawyers', ['@lawfirm.example'], []),
    policy('acquired', [], ['@newdomain.example']),
    policy('sales', [], ['jim@', 'john@', 'larry@']),
  ],
  defaultContentFilters: [],
  contentFilters: [],
}
const split = (sender: string, ...to: string[]) =>
  splitByPolicy(
    table,
    sender,
    to.map((address, rid) => ({ rid, address })),
  ).map((p) => [p.policy, p.rids])

describe('mail policies', () => {
  it("split the guide's examples as the guide does", () => {
    expect(split('joe@yahoo.example', 'john@example.com', 'jane@newdomain.example', 'bill@example.com')).toEqual([
      ['acquired', [1]],
      ['sales', [0]],
      ['DEFAULT', [2]],
    ])
    expect(split('bill@lawfirm.example', 'ann@example.com', 'larry@example.com')).toEqual([
      ['special_people', [0]],
      ['from_lawyers', [1]],
    ])
    expect(split('bill@lawfirm.example', 'jim@example.com')).toEqual([['from_lawyers', [0]]])
  })

  it('match members by address, user, domain and domains below, in any case', () => {
    expect(memberMatches('Bob@Example.com', 'bob@example.COM')).toBe(true)
    expect(memberMatches('@example.com', 'bob@notexample.com')).toBe(false)
    expect(memberMatches('@.example.com', 'bob@mail.example.com')).toBe(true)
    expect(memberMatches('@.example.com', 'bob@example.com')).toBe(false)
    expect(memberMatches('bob@', 'bobby@example.com')).toBe(false)
  })
})
