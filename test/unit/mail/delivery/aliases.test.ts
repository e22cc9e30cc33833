import fc from 'fast-check'
import { expect, it } from 'vitest'
import { expandAliases } from '../../../../src/mail/delivery/aliases.ts'

const table = [
  { domain: 'example.com', alias: 'care', addresses: ['bob@example.com', 'ann'] },
  { domain: null, alias: 'help@example.com', addresses: ['care@example.com'] },
  { domain: null, alias: '@old.example', addresses: ['x@new.example'] },
  { domain: null, alias: 'root', addresses: ['admin@example.com'] },
  { domain: null, alias: 'void@example.com', addresses: ['/dev/null'] },
  { domain: null, alias: 'loop@example.com', addresses: ['loop@example.com', 'y@example.com'] },
]

const expanded = (addresses: readonly string[], all: Parameters<typeof expandAliases>[1]) =>
  expandAliases(
    addresses.map((address) => ({ address })),
    all,
  )?.map((r) => r.address) ?? null

it.each([
  ['Care@Example.com', ['bob@example.com', 'ann@Example.com']],
  ['help@example.com', ['bob@example.com', 'ann@example.com']],
  ['any@old.example', ['x@new.example']],
  ['root@far.example', ['admin@example.com']],
  ['void@example.com', []],
  ['loop@example.com', ['loop@example.com', 'y@example.com']],
  ['nobody@example.com', null],
])('%s becomes %j', (address, expected) => {
  expect(expanded([address], table)).toEqual(expected)
})

it('each address stands once, and those that no alias takes stay', () => {
  expect(expanded(['bob@example.com', 'care@example.com', 'z@far.example'], table)).toEqual([
    'bob@example.com',
    'ann@example.com',
    'z@far.example',
  ])
})

it('any table comes to an end', () => {
  const user = fc.constantFrom('a', 'b', 'c', 'd')
  const entries = fc.array(
    fc.record({
      domain: fc.constantFrom(null, 'x.example'),
      alias: user,
      addresses: fc.array(fc.oneof(user, fc.constant('a@x.example')), { minLength: 1, maxLength: 4 }),
    }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(entries, user, (all, name) => {
      const out = expanded([`${name}@x.example`], all)
      expect(new Set(out ?? []).size).toBe(out?.length ?? 0)
    }),
    { numRuns: 200 },
  )
})
