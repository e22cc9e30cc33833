import { describe, expect, it } from 'vitest'
import { createInTurn } from '../../../src/core/in-turn.ts'

describe('work in turn', () => {
  it('runs one piece at a time in the order of the calls, also after one that failed', async () => {
    const inTurn = createInTurn()
    const seen: string[] = []
    const piece = (name: string, fails = false) =>
      inTurn(async () => {
        seen.push(`${name} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        seen.push(`${name} ends`)
        if (fails) throw new Error(name)
        return name
      })
    const ends = await Promise.allSettled([piece('a', true), piece('b'), piece('c')])
    expect(ends.map((e) => (e.status === 'fulfilled' ? e.value : String(e.reason)))).toEqual(['Error: a', 'b', 'c'])
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })
})
