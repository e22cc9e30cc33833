import { expect, it } from 'vitest'
import { ADDRESS_LIMITS, readAddresses } from '../../../../src/mail/message/addresses.ts'

it.each([
  ['"ceo@example.com" <x@evil.example>', [{ name: 'ceo@example.com', address: 'x@evil.example' }]],
  [
    'a@b, "x, y" <c@d>',
    [
      { name: '', address: 'a@b' },
      { name: 'x, y', address: 'c@d' },
    ],
  ],
  [
    'friends: a@b, c@d;',
    [
      { name: '', address: 'a@b' },
      { name: '', address: 'c@d' },
    ],
  ],
  ['"say \\"hi\\"" (a, b) <a@b>', [{ name: 'say "hi"', address: 'a@b' }]],
  ['Me "and" You <a@b>', [{ name: 'Me and You', address: 'a@b' }]],
  ['a "b\\"c', [{ name: 'a "b\\"c', address: '' }]],
  ['<@relay:a@b>', [{ name: '', address: 'a@b' }]],
  ['a@b c', [{ name: 'a@b c', address: '' }]],
  ['@b', [{ name: '@b', address: '' }]],
  ['a@', [{ name: 'a@', address: '' }]],
  [',,;', []],
])('reads %j', (field, found) => {
  expect(readAddresses([field])).toEqual({ found, cut: false })
})

it('looks at so many characters of all fields together, takes no half address, and says that there is more', () => {
  const filler = 'x'.repeat(ADDRESS_LIMITS.characters - 5)
  expect(readAddresses([`<a@b>,${filler}@c`])).toEqual({ found: [{ name: '', address: 'a@b' }], cut: true })
  expect(readAddresses([filler, 'a@bcd'])).toMatchObject({ found: [{}, { address: 'a@bcd' }], cut: false })
  expect(readAddresses([filler, 'a@bcde'])).toEqual({ found: [{ name: filler, address: '' }], cut: true })
  expect(readAddresses(['a@b,'.repeat(1000)])).toMatchObject({ cut: false })
  expect(readAddresses(['a@b,'.repeat(1001)])).toMatchObject({ cut: true })
})

it.each(['"a\\', '"', 'a@', '<', '(', '\\"', ' ', '=?', '?= ', ':', ','])(
  'comes to an end with a megabyte of %j',
  (piece) => {
    expect(readAddresses([piece.repeat(1_000_000 / piece.length) + ' x']).cut).toBe(true)
  },
)
