import { expect, it } from 'vitest'
import { chaosStory } from '../support/chaos-story.ts'

const SEEDS = Math.ceil(Number(process.env['LYCHGATE_FAULT_ROUNDS'] ?? 10) / 4)

it(`acts exactly once on every retrospection, whatever the service did before it healed (${SEEDS} stories)`, async () => {
  for (let seed = 2; seed < 2 + SEEDS; seed++) {
    const { expected, deleted } = await chaosStory(seed, 60)
    expect({ seed, deleted }).toEqual({ seed, deleted: expected })
  }
}, 3_600_000)
