import { describe, expect, it } from 'vitest'
import { isTaggable, isTagged, openTag, tagAddress } from '../../../../src/mail/smtp/bounce-tag.ts'

const old = { number: 3, key: 'the key of last month' }
const current = { number: 4, key: 'the key of today' }
const keys = [old, current]
const day = (n: number): Date => new Date(n * 86_400_000 + 3_600_000)
const TODAY = 20_000
const ADDRESS = 'Joe.Doe+x@Example.com'
const tagged = tagAddress(ADDRESS, current, day(TODAY))

describe('a bounce tag', () => {
  it('names its key and the day on which it ends', () => {
    expect(tagged).toMatch(/^prvs=4007[0-9a-f]{6}=Joe\.Doe\+x@Example\.com$/)
    expect(isTagged(tagged)).toBe(true)
    expect(isTagged(ADDRESS)).toBe(false)
  })

  it('is the HMAC-SHA-1 that openssl makes of the same text', () => {
    // printf '4007joe@example.com' | openssl dgst -sha1 -hmac secret-key
    expect(tagAddress('joe@example.com', { number: 4, key: 'secret-key' }, day(TODAY))).toBe(
      'prvs=400791606a=joe@example.com',
    )
  })

  it('gives the address back for seven days, also over the turn of the thousand, and not on the eighth', () => {
    for (const from of [TODAY, TODAY + 996, TODAY + 999])
      for (let after = 0; after <= 9; after++)
        expect(openTag(tagAddress(ADDRESS, current, day(from)), keys, day(from + after))).toBe(
          after <= 7 ? ADDRESS : null,
        )
  })

  it('that ends later than any of today can is none', () => {
    expect(openTag(tagAddress(ADDRESS, current, day(TODAY + 1)), keys, day(TODAY))).toBeNull()
  })

  it('opens with every key that is kept, and no longer when its key is gone', () => {
    const earlier = tagAddress(ADDRESS, old, day(TODAY))
    expect(openTag(earlier, keys, day(TODAY))).toBe(ADDRESS)
    expect(openTag(earlier, [current], day(TODAY))).toBeNull()
    expect(openTag(earlier, [{ ...current, number: old.number }], day(TODAY))).toBeNull()
    expect(openTag(earlier, [], day(TODAY))).toBeNull()
  })

  it('survives hosts that change the case', () => {
    expect(openTag(tagged.toUpperCase(), keys, day(TODAY))).toBe(ADDRESS.toUpperCase())
    expect(openTag(tagged.toLowerCase(), keys, day(TODAY))).toBe(ADDRESS.toLowerCase())
  })

  it('is refused when any of its characters, or the address, was changed', () => {
    const start = 'prvs='.length
    for (let i = start; i < start + 10; i++) {
      const other = tagged[i] === '0' ? '1' : '0'
      expect(openTag(tagged.slice(0, i) + other + tagged.slice(i + 1), keys, day(TODAY))).toBeNull()
    }
    expect(openTag(tagged.replace('Joe', 'Jim'), keys, day(TODAY))).toBeNull()
    expect(openTag(tagged.replace('Example', 'Another'), keys, day(TODAY))).toBeNull()
  })

  it.each([
    'joe@example.com',
    'prvs=joe@example.com',
    'prvs=4007abcdef=@example.com',
    'prvs=4007ABCDEG=joe@example.com',
    '',
  ])('is not in %j', (address) => {
    expect(openTag(address, keys, day(TODAY))).toBeNull()
  })
})

describe('an address', () => {
  it('has a tag only when its local part still is one afterwards', () => {
    expect(isTaggable('joe@example.com')).toBe(true)
    expect(isTaggable(`${'a'.repeat(48)}@example.com`)).toBe(true)
    expect(isTaggable(`${'a'.repeat(49)}@example.com`)).toBe(false)
    expect(isTaggable(`${'ä'.repeat(25)}@example.com`)).toBe(false)
    expect(isTaggable('"joe doe"@example.com')).toBe(false)
    expect(isTaggable('Postmaster@example.com')).toBe(false)
    expect(isTaggable('')).toBe(false)
  })
})
