import { LinkifyIt } from 'linkify-it'
import { describe, expect, it } from 'vitest'
import { extractUrls } from '../../../../src/intel/url/extract.ts'

const text = (content: string): readonly string[] => extractUrls({ kind: 'text', content }, 100).map((f) => f.url)
const html = (content: string): readonly string[] => extractUrls({ kind: 'html', content }, 100).map((f) => f.url)

describe('URLs in text', () => {
  it.each<[string, readonly string[]]>([
    ['see http://phish.example.com/test_url_1 now', ['http://phish.example.com/test_url_1']],
    ['(http://a.example/x).', ['http://a.example/x']],
    ['http://a.example/wiki/X_(y)', ['http://a.example/wiki/X_(y)']],
    ['<http://a.example/x>', ['http://a.example/x']],
    ['<http://a.example/very/\r\nlong/path>', ['http://a.example/very/long/path']],
    ['<URL:http://a.example/x>', ['http://a.example/x']],
    ['HTTPS://A.Example/X', ['https://A.Example/X']],
    ['www.example.com/x?y=1, and more', ['http://www.example.com/x?y=1']],
    ['go to example.com today', ['http://example.com']],
    ['go to example.com/login!', ['http://example.com/login']],
    ['evil.xyz/pay', ['http://evil.xyz/pay']],
    ['evil.com:8080/pay', ['http://evil.com:8080/pay']],
    ['user@example.com wrote readme.md, e.g. setup.py and 1.2.3', []],
    ['mailto:user@example.com', []],
    ['http://a.example,http://b.example', ['http://a.example', 'http://b.example']],
    ['https://bank.example@evil.example/x', ['https://bank.example@evil.example/x']],
    ['http:\\\\evil.example\\path', ['http://evil.example/path']],
    ['"http://a.example/q?a=b&c=d#frag"', ['http://a.example/q?a=b&c=d#frag']],
    ['请看http://a.example/路径，谢谢', ['http://a.example/路径']],
    ['http://evil。example/x', ['http://evil。example/x']],
    ['http://ev\u200bil.example/x', ['http://evil.example/x']],
    [
      'http://192.0.2.1/x http://[2001:db8::1]/y http://3221225985/z',
      ['http://192.0.2.1/x', 'http://[2001:db8::1]/y', 'http://3221225985/z'],
    ],
    ['ftp://files.example.com/a', ['ftp://files.example.com/a']],
    ['http:// nothing', []],
    ['**http://a.example/b**', ['http://a.example/b']],
    ["href='http://a.example/b'", ['http://a.example/b']],
  ])('finds in %j', (content, expected) => {
    expect(text(content)).toEqual(expected)
  })

  it('finds whatever linkify-it finds', () => {
    const oracle = new LinkifyIt({ fuzzyLink: false, fuzzyEmail: false })
    const samples = [
      'My blog is http://blog.example.org/2022/03?x=y&z=%20a#top; see also (https://other.example.net/~me/) or',
      'http://example.com:8080/path,with,commas and "https://quoted.example/", http://under_score.example.com/a_b-c',
      'http://xn--bcher-kva.example/ http://bücher.example/straße?ß=1',
      "[markdown](http://example.com/a(b)c) it's http://example.com/quo'ted http://example.com/a;b=c!d",
    ]
    for (const sample of samples)
      for (const match of oracle.match(sample) ?? []) expect(text(sample)).toContain(match.raw)
  })

  it('stops at the limit', () => {
    const many = Array.from({ length: 50 }, (_, i) => `http://h${i}.example/`).join(' ')
    expect(extractUrls({ kind: 'text', content: many }, 7)).toHaveLength(7)
    expect(extractUrls({ kind: 'text', content: many }, 0)).toHaveLength(0)
  })

  it('gives each URL once, with every spelling in which it stands there', () => {
    expect(extractUrls({ kind: 'text', content: 'www.example.com www.example.com http://www.example.com' }, 9)).toEqual(
      [
        { raw: 'www.example.com', url: 'http://www.example.com', where: 'text' },
        { raw: 'http://www.example.com', url: 'http://www.example.com', where: 'text' },
      ],
    )
  })
})

describe('URLs in HTML', () => {
  it.each<[string, readonly string[]]>([
    ['<a href="http://a.example/?x=1&amp;y=&#50;">t</a>', ['http://a.example/?x=1&y=2']],
    ['<A HREF=http://a.example/x>t</A>', ['http://a.example/x']],
    ['<a href=" http://a.exa\n mple/x ">t</a>', []],
    ['<a href="\thttp://a.exam\r\nple/x ">t</a>', ['http://a.example/x']],
    ['<a href="http:\\\\evil.example\\x">t</a>', ['http://evil.example/x']],
    ['<a href="https:/evil.example/x">t</a>', ['https://evil.example/x']],
    ['<a href="//evil.example/x">t</a>', ['http://evil.example/x']],
    ['<a href="www.example.com">t</a>', ['http://www.example.com']],
    ['<a href="mailto:a@b.example">t</a><a href="cid:1">t</a><a href="javascript:alert(1)">t</a>', []],
    ['<base href="http://b.example/d/"><a href="x?y">t</a>', ['http://b.example/d/', 'http://b.example/d/x?y']],
    ['<a href="x?y">t</a>', []],
    [
      '<img src="http://i.example/p.gif"><form action="https://f.example/post">',
      ['http://i.example/p.gif', 'https://f.example/post'],
    ],
    ['<map><area href="http://m.example/"></map>', ['http://m.example/']],
    ['<meta http-equiv="Refresh" content="0; URL=\'http://r.example/go\'">', ['http://r.example/go']],
    ['<img srcset="http://s.example/1 1x, http://s.example/2 2x">', ['http://s.example/1', 'http://s.example/2']],
    [
      '<td background="http://bg.example/a" style="background:url(&quot;http://css.example/b&quot;)">',
      ['http://bg.example/a', 'http://css.example/b'],
    ],
    ['<style>p{background:url(http://css.example/c)}</style>', ['http://css.example/c']],
    ['<p>visible http://v.example/x</p><p>next</p>', ['http://v.example/x']],
    ['http://one.example/a<br>b', ['http://one.example/a']],
    ['http://one.exam<b>ple/a</b>', ['http://one.example/a']],
    ['<a href="http://evil.example/">http://bank.example/</a>', ['http://evil.example/', 'http://bank.example/']],
    ['<!--[if mso]><v:rect href="http://mso.example/"></v:rect><![endif]-->', ['http://mso.example/']],
    ['<!-- http://comment.example/ -->', []],
    ['<script>var x="http://script.example/"</script>', []],
    ['<a href="http://first.example/" href="http://second.example/">', ['http://first.example/']],
  ])('finds in %j', (content, expected) => {
    expect(html(content)).toEqual(expected)
  })
})
