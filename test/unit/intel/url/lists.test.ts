import { describe, expect, it } from 'vitest'
import { urlListMatcher } from '../../../../src/intel/url/lists.ts'

const matches = urlListMatcher([
  'cisco.com',
  'ironport.com/*',
  '*.example.com',
  'example.net/dir/*',
  'example.org/page',
  '10.2.4.5/24',
  '[2001:DB8::1]',
])

describe('a URL list', () => {
  it.each([
    ['http://cisco.com/any', true],
    ['https://CISCO.com', true],
    ['http://www.cisco.com/', false],
    ['http://ironport.com/x/y', true],
    ['http://a.example.com/x', true],
    ['http://example.com/', false],
    ['http://badexample.com/', false],
    ['http://example.net/dir/x', true],
    ['http://example.net/other', false],
    ['http://example.org/page?x=1', true],
    ['http://example.org/page2', false],
    ['http://10.2.4.77/x', true],
    ['http://10.2.5.1/x', false],
    ['http://[2001:db8:0::1]/', true],
    ['http://cisco.com@evil.example/', false],
    ['not a url', false],
  ])('of %s: %s', (url, expected) => {
    expect(matches(url)).toBe(expected)
  })
})
