import { expect, it } from 'vitest'
import { oncePer } from '../../../src/core/once-per.ts'

it('makes what belongs to a value once, for each value', () => {
  const made: (readonly number[])[] = []
  const sum = oncePer((numbers: readonly number[]) => {
    made.push(numbers)
    return numbers.reduce((a, b) => a + b, 0)
  })
  const [first, other] = [
    [1, 2],
    [1, 2],
  ]
  expect([sum(first), sum(first), sum(other), sum([])]).toEqual([3, 3, 3, 0])
  expect(made).toEqual([first, other, []])
})

it('remembers that nothing was made, and nothing of what failed', () => {
  let calls = 0
  const odd = oncePer(({ fails }: { fails: boolean }): undefined => {
    calls++
    if (fails) throw new Error('no')
    return undefined
  })
  const key = { fails: true }
  expect(() => odd(key)).toThrow('no')
  key.fails = false
  odd(key)
  odd(key)
  expect(calls).toBe(2)
})
