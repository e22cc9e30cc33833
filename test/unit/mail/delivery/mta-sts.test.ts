import { describe, expect, it } from 'vitest'
import { isMxOf, parseStsPolicy, stsId } from '../../../../src/mail/delivery/mta-sts.ts'

const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n'

describe('the record of MTA-STS', () => {
  it.each([
    ['v=STSv1; id=20160831085700Z;', '20160831085700Z'],
    ['v=STSv1;id=a', 'a'],
    ['v=STSv1 ; x=1 ; id=abc', 'abc'],
  ])('%s has the id %s', (record, id) => expect(stsId(['v=spf1 -all', record])).toBe(id))

  it.each([
    [['v=STSv1; id=1', 'v=STSv1; id=2']],
    [['v=STSv1; id=']],
    [['v=STSv1; id=a-b']],
    [['v=STSv1']],
    [['v=STSv2; id=1']],
    [['v=STSv1; id=1; id=2']],
    [['v=STSv1; id=1; bad']],
    [[`v=STSv1; id=${'a'.repeat(33)}`]],
    [[]],
  ])('%j is none', (records) => expect(stsId(records)).toBeNull())
})

describe('a policy of MTA-STS', () => {
  it('has a mode, hosts and an age', () => {
    const expected = { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAgeSeconds: 604_800 }
    expect(parseStsPolicy(POLICY)).toEqual(expected)
    expect(parseStsPolicy(POLICY.replaceAll('\r', ''))).toEqual(expected)
    expect(parseStsPolicy(`${POLICY}x-new: anything, ü\r\nmode: none\r\n`)).toEqual(expected)
  })

  it('lasts a year at most', () => {
    expect(parseStsPolicy(POLICY.replace('604800', '9999999999')).maxAgeSeconds).toBe(31_557_600)
  })

  it('needs no hosts when it is withdrawn', () => {
    expect(parseStsPolicy('version: STSv1\nmode: none\nmax_age: 60').mode).toBe('none')
  })

  it.each([
    ['version: STSv1', 'version: STSv2', 'version'],
    ['mode: enforce', 'mode: Enforce', 'mode'],
    ['mode: enforce\r\n', '', 'mode'],
    ['max_age: 604800', 'max_age: -1', 'max_age'],
    ['max_age: 604800\r\n', '', 'max_age'],
    ['mx: mail.example.com', 'mx: mail.*.com', 'mx'],
    ['mx: mail.example.com', 'mx: ', 'mx'],
    ['mx: mail.example.com\r\nmx: *.example.net\r\n', '', 'mx'],
    ['mode: enforce', '<html>', 'line 2'],
    ['mode: enforce', '', 'line 2'],
  ])('with %j as %j is refused for its %s', (from, to, what) =>
    expect(() => parseStsPolicy(POLICY.replace(from, to))).toThrow(what),
  )

  it('has limits', () => {
    expect(() => parseStsPolicy(`${POLICY}${'mx: a.example\n'.repeat(101)}`)).toThrow('100 mx')
    expect(() => parseStsPolicy(`${POLICY}${'a: b\n'.repeat(1001)}`)).toThrow('1000 lines')
  })
})

describe('a host', () => {
  it.each([
    ['mail.example.com', true],
    ['MAIL.example.com.', true],
    ['other.example.com', false],
    ['a.example.net', true],
    ['a.b.example.net', false],
    ['example.net', false],
    ['xexample.net', false],
    ['net', false],
  ])('%s is one of the policy: %s', (host, expected) =>
    expect(isMxOf({ mx: ['mail.example.com', '*.example.net'] }, host)).toBe(expected),
  )
})
