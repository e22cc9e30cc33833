import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve } from '../support/appliance.ts'
import { identify, sendLoad } from '../support/load.ts'
import type { Ledger } from '../support/load.ts'
import { delivered } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/processes.ts'

const ROUNDS = Number(process.env['LYCHGATE_FAULT_ROUNDS'] ?? 3)
const MESSAGES = 500
/** Kill moments spread over the load, the same in every run. */
const killAfter = (round: number): number => 20 + ((round * 173) % (MESSAGES - 40))

/** How often each message stands in the mailboxes, and whether its bytes are what was sent. */
const count = (home: string): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>()
  for (const { bytes } of delivered(home)) {
    const mail = identify(bytes)
    if (mail) found.set(mail.id, [...(found.get(mail.id) ?? []), mail.sha256])
  }
  return found
}

describe('kill -9 under load', () => {
  let home: string
  let port: number
  beforeAll(async () => {
    home = freshHome()
    port = await freePort()
  })
  afterAll(() => removeHome(home))

  const round = async (number: number): Promise<Ledger> => {
    const gateway = await serve(home, { port })
    let killed: Promise<void> | null = null
    const ledger = await sendLoad({
      port,
      count: MESSAGES,
      connections: 10,
      name: `r${number}`,
      to: 'user@example.com',
      onAccepted: (total) => {
        if (total >= killAfter(number)) killed ??= gateway.kill()
      },
    })
    await (killed ?? gateway.kill())
    return ledger
  }

  it.each(Array.from({ length: ROUNDS }, (_, i) => i))(
    'round %i: every message answered 250 is there exactly once, byte for byte',
    async (number) => {
      const ledger = await round(number)
      expect(ledger.accepted.size).toBeGreaterThanOrEqual(killAfter(number))
      const gateway = await serve(home, { port })
      const missing = (): number => {
        const found = count(home)
        return [...ledger.accepted.keys()].filter((id) => !found.has(id)).length
      }
      await until('the queue is delivered', () => missing() === 0, 40_000)
      await gateway.stop()
      const found = count(home)
      const wrong = [...ledger.accepted].filter(([id, sha]) => found.get(id)?.join() !== sha)
      expect(wrong).toEqual([])
      const doubled = [...found].filter(([, copies]) => copies.length > 1)
      expect(doubled).toEqual([])
      // An id of an earlier round, whose files are gone, would be a second delivery.
      const strangers = [...found.keys()].filter((id) => !ledger.accepted.has(id) && !ledger.unanswered.has(id))
      expect(strangers).toEqual([])
      for (const { path } of delivered(home)) rmSync(path)
    },
    120_000,
  )
})
