import { expect, it } from 'vitest'
import { Fault } from '../../../src/core/errors.ts'
import { watchRoom } from '../../../src/services/room-watch.ts'
import { newEntry } from '../../support/spool.ts'

it('raises one alert when the disk is full, however often, and one when there is room again', async () => {
  const outcomes = ['ok', 'STORE_FULL', 'STORE_FULL', 'STORE_BUSY', 'ok', 'ok', 'STORE_FULL'] as const
  const raised: string[] = []
  let n = 0
  const spool = watchRoom(
    {
      accept: async () => {
        const outcome = outcomes[n++]
        if (outcome !== undefined && outcome !== 'ok') throw new Fault(outcome, 'database or disk is full')
        await Promise.resolve()
      },
    },
    { raise: ({ severity, text }) => raised.push(`${severity}: ${text}`) },
  )
  const told: unknown[] = []
  while (told.length < outcomes.length) told.push(await spool.accept(newEntry(1)).catch((error: Fault) => error.code))
  expect(told).toEqual(outcomes.map((o) => (o === 'ok' ? undefined : o)))
  expect(raised).toEqual([
    expect.stringMatching(/^Critical: The disk of the mail queue is full, read-only or failing: .*452/),
    expect.stringMatching(/^Information: .*room again.* 2 were refused/),
    expect.stringMatching(/^Critical: /),
  ])
})
