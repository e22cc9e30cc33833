import { expect, test } from 'vitest'
import { conflictingEntries, parseEntries } from '../../../src/config/address-entries.ts'
import { parseUrlEntries, parseUrlListFile } from '../../../src/config/url-entries.ts'

test.each([
  ['emails', 'user@example.com, user@', ['user@example.com', 'user@']],
  [
    'domains',
    '@example.com @.example.com,example.com,.example.com',
    ['@example.com', '@.example.com', 'example.com', '.example.com'],
  ],
  [
    'ips',
    '@[1.2.3.4], 10.0.0.0/8,2001:db8::1,@[IPv6:2001:db8::1]',
    ['@[1.2.3.4]', '10.0.0.0/8', '2001:db8::1', '@[IPv6:2001:db8::1]'],
  ],
  [
    'all',
    'user@example.com,user@,@example.com,@[1.2.3.4],user@example.com',
    ['user@example.com', 'user@', '@example.com', '@[1.2.3.4]'],
  ],
] as const)('a list of %s takes its forms, each once', (type, text, entries) => {
  expect(parseEntries(type, text)).toEqual({ ok: true, value: entries })
})

test.each([
  ['emails', '@example.com'],
  ['emails', 'example.com'],
  ['domains', 'user@example.com'],
  ['domains', '@1.2.3.4'],
  ['ips', '1.2.3.4/33'],
  ['ips', 'example.com'],
  ['all', 'example com'],
  ['all', 'a@b@c d'],
  ['emails', ' , '],
] as const)('a list of %s refuses %j', (type, text) => {
  expect(parseEntries(type, text).ok).toBe(false)
})

test('an entry that a wider one covers, or that stands twice in another case, conflicts', () => {
  expect(
    conflictingEntries(['user@mail.example.com', '@.example.com', 'User@mail.example.com', 'user@', 'b@other.example']),
  ).toEqual([
    ['User@mail.example.com', 'user@mail.example.com'],
    ['user@mail.example.com', 'user@'],
    ['User@mail.example.com', 'user@'],
  ])
  expect(conflictingEntries(['a@mail.example.com', '@.example.com'])).toEqual([['a@mail.example.com', '@.example.com']])
  expect(conflictingEntries(['mail.example.com', '.example.com'])).toEqual([['mail.example.com', '.example.com']])
  expect(conflictingEntries(['@example.com', '@.example.com'])).toEqual([])
})

test('URL lists take the documented forms', () => {
  const forms = [
    'cisco.com',
    'ironport.com/*',
    '*.example.com',
    '10.2.4.5/24',
    '[2001:DB8::1]',
    'example.com:8080/a?b=c',
  ]
  expect(parseUrlEntries(forms.join('\n'))).toEqual({ ok: true, value: forms })
  expect(parseUrlEntries('https://example.com/login')).toEqual({ ok: true, value: ['example.com/login'] })
  for (const wrong of ['', 'exa mple..com', '10.2.4.5/64', '[::1', 'ftp://example.com', '*.*.example.com', '*'])
    expect(parseUrlEntries(wrong).ok).toBe(false)
})

test('an import file names its list first, and a wrong line is told by its number', () => {
  expect(parseUrlListFile('# ours\nbypass\n\nexample.com\r\n*.example.org\n')).toEqual({
    ok: true,
    value: { name: 'bypass', urls: ['example.com', '*.example.org'] },
  })
  expect(parseUrlListFile('bypass\nexample.com\nno url.\n')).toMatchObject({
    error: expect.stringMatching(/^Line 3: /) as string,
  })
  expect(parseUrlListFile('bypass\n').ok).toBe(false)
})
