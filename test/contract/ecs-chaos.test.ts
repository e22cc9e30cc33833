import { describe, expect, it } from 'vitest'
import { chaosStory } from '../support/chaos-story.ts'

describe('a retrospective service that fails in every way, over real HTTPS', () => {
  it('after it heals, every retrospection has been acted on exactly once', { timeout: 20_000 }, async () => {
    const { expected, deleted, faults, lives, pollsFailed } = await chaosStory(1, 30)
    expect(deleted).toEqual(expected)
    expect(expected.length).toBeGreaterThan(3)
    expect(faults.size).toBeGreaterThan(8)
    expect(lives).toBeGreaterThan(2)
    expect(pollsFailed).toBeGreaterThan(3)
  })
})
