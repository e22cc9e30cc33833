import { describe, expect, it } from 'vitest'
import { canonicalText, canonicalUrl } from '../../../../src/intel/url/canonical.ts'
import { domainKeys, urlKeys } from '../../../../src/intel/url/expressions.ts'

const canonical = (url: string): string => {
  const c = canonicalUrl(url)
  return c === null ? '' : canonicalText(c)
}
const keys = (url: string): readonly string[] => urlKeys(canonicalUrl(url) ?? { host: '', path: '/', query: null })

describe('the canonical form (examples of the Safe Browsing text)', () => {
  it.each([
    ['http://host/%25%32%35', 'host/%25'],
    ['http://host/%25%32%35%25%32%35', 'host/%25%25'],
    ['http://host/%2525252525252525', 'host/%25'],
    ['http://host/asdf%25%32%35asd', 'host/asdf%25asd'],
    ['http://host/%%%25%32%35asd%%', 'host/%25%25%25asd%25%25'],
    ['http://%31%36%38%2e%31%38%38%2e%39%39%2e%32%36/%2E%73%65%63%75%72%65/%77', '168.188.99.26/.secure/w'],
    ['http://3279880203/blah', '195.127.0.11/blah'],
    ['http://0x7f.1/', '127.0.0.1/'],
    ['http://0300.0250.0.01', '192.168.0.1/'],
    ['http://www.google.com/blah/..', 'www.google.com/'],
    ['www.google.com', 'www.google.com/'],
    ['http://www.evil.com/blah#frag', 'www.evil.com/blah'],
    ['http://www.GOOgle.com.../', 'www.google.com/'],
    ['http://www.google.com/foo\tbar\rbaz\n2', 'www.google.com/foobarbaz2'],
    ['http://www.google.com/q?r?s', 'www.google.com/q?r?s'],
    ['http://evil.com/foo#bar#baz', 'evil.com/foo'],
    ['http://evil.com/foo?bar;', 'evil.com/foo?bar;'],
    ['http://www.gotaport.com:1234/', 'www.gotaport.com/'],
    ['  http://www.google.com/  ', 'www.google.com/'],
    ['http://%20leadingspace.com/', '%20leadingspace.com/'],
    ['http://host.com/ab%23cd', 'host.com/ab%23cd'],
    ['http://host.com//twoslashes?more//slashes', 'host.com/twoslashes?more//slashes'],
    ['http://user:pw@Evil.Example:80/a/./b/../c', 'evil.example/a/c'],
    ['http://evil.example\\a\\b', 'evil.example/a/b'],
    ['http://bücher.example/ß', 'xn--bcher-kva.example/%C3%9F'],
    ['http://evil。example/', 'evil.example/'],
    ['http://[2001:DB8::0:1]/x', '[2001:db8::1]/x'],
    ['http:///x', ''],
  ])('of %j is %j', (url, expected) => {
    expect(canonical(url)).toBe(expected)
  })
})

describe('look-up expressions', () => {
  it('go from the whole URL down to the registrable domain and the root', () => {
    expect(keys('http://a.b.c.example.co.uk/1/2.html?param=1')).toEqual([
      ...['a.b.c', 'b.c', 'c', '']
        .map((h) => (h === '' ? 'example.co.uk' : `${h}.example.co.uk`))
        .flatMap((h) => [`${h}/1/2.html?param=1`, `${h}/1/2.html`, `${h}/1/`, `${h}/`]),
    ])
  })
  it('take every domain above the host, and the pages of at most four', () => {
    expect(domainKeys('a.b.c.d.e.f.example.com')).toEqual([
      'a.b.c.d.e.f.example.com',
      'b.c.d.e.f.example.com',
      'c.d.e.f.example.com',
      'd.e.f.example.com',
      'e.f.example.com',
      'f.example.com',
      'example.com',
    ])
    expect(keys('http://a.b.c.d.e.f.example.com/')).toEqual([
      'a.b.c.d.e.f.example.com/',
      'd.e.f.example.com/',
      'e.f.example.com/',
      'f.example.com/',
      'example.com/',
    ])
  })
  it('take at most four leading folders', () => {
    expect(keys('http://example.com/1/2/3/4/5/6')).toEqual([
      'example.com/1/2/3/4/5/6',
      'example.com/1/2/3/',
      'example.com/1/2/',
      'example.com/1/',
      'example.com/',
    ])
  })
  it('never judge a rented name by the shared host above it', () => {
    expect(domainKeys('evil.github.io')).toEqual(['evil.github.io'])
    expect(domainKeys('www.evil.github.io')).toEqual(['www.evil.github.io', 'evil.github.io'])
    expect(domainKeys('github.io')).toEqual(['github.io'])
  })
  it('leave addresses whole', () => {
    expect(domainKeys('192.0.2.1')).toEqual(['192.0.2.1'])
    expect(domainKeys('[2001:db8::1]')).toEqual(['[2001:db8::1]'])
  })
})
