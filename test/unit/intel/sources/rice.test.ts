import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { riceNumbers } from '../../../../src/intel/sources/rice.ts'
import { riceCoded } from '../../../support/hash-list-provider.ts'

describe('Rice-coded numbers', () => {
  it('are read with the lowest bit first, as providers write them', () => {
    // Quotients 3 and 2, remainders 3 and 1: 1110 11, 110 10.
    const data = Uint8Array.of(0xf7, 0x02)
    expect([...riceNumbers({ first: 5, parameter: 2, count: 2, data })]).toEqual([5, 20, 29])
  })

  it('come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 24, max: 30 }),
        (numbers, parameter) => {
          const sorted = numbers.sort((a, b) => a - b)
          const { firstValue, encodedData, entriesCount } = riceCoded(sorted, parameter)
          const data = Buffer.from(encodedData, 'base64')
          expect([...riceNumbers({ first: firstValue, parameter, count: entriesCount, data })]).toEqual(sorted)
        },
      ),
    )
  })

  it.each([
    ['promises more numbers than it has bits', { first: 0, parameter: 0, count: 9, data: Uint8Array.of(0) }],
    ['ends in the middle of a number', { first: 0, parameter: 4, count: 2, data: Uint8Array.of(0) }],
    ['goes beyond 32 bits', { first: 0xffff_ffff, parameter: 0, count: 1, data: Uint8Array.of(1) }],
    ['has a parameter that cannot be', { first: 0, parameter: 60, count: 1, data: Uint8Array.of(1) }],
  ])('are refused when the list %s', (_, coded) => {
    expect(() => riceNumbers(coded)).toThrow(/list/)
  })
})
