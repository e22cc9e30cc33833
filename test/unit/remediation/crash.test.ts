import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMailboxWriter } from '../../../src/adapters/maildir/deliver.ts'
import { createMaildirProvider } from '../../../src/adapters/maildir/provider.ts'
import { inlineWriter } from '../../../src/adapters/sqlite/database.ts'
import { createRemediationStore } from '../../../src/adapters/sqlite/remediation.ts'
import { urlFiltering } from '../../../src/config/sections/url-filtering.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import { createRemediation } from '../../../src/remediation/service.ts'
import type { Delivery } from '../../../src/store/spool.ts'
import { testEnv } from '../../support/env.ts'
import { mortal } from '../../support/mortal.ts'
import { delivery } from '../../support/remediation.ts'
import { TestConfig } from '../../support/retro.ts'

const live = new AbortController().signal
const MAILS = [1, 2]

/** One life over the same home: ends by itself after `steps` asynchronous calls of store and provider. */
const life = async (
  home: string,
  steps: number,
  deliveries: readonly Delivery[],
  sent: Set<string>,
  told: string[],
) => {
  const env = testEnv()
  const config = new TestConfig()
  config.set(urlFiltering, { marEnabled: true, marAction: 'forward_and_delete', marForwardTo: 'soc@example.com' })
  const writer = inlineWriter()
  const { wrap, died } = mortal(steps)
  const provider = createMaildirProvider({
    mailboxes: join(home, 'mailboxes'),
    hold: join(home, 'hold'),
    clock: env.clock,
    // As our queue does: once for a key.
    forwarder: { forward: async (key) => void sent.add(key) },
  })
  const events = createEventBus(env.clock)
  // What is published after the death of the process nobody reads; what was published before its flush may be lost too.
  let buffered: string[] = []
  events.subscribe((_, event) => {
    if (event.type === 'remediation.result' && !died()) buffered.push(`${event.mid} ${event.status}`)
  })
  const logs = wrap({
    flush: () => {
      told.push(...buffered)
      buffered = []
      return Promise.resolve()
    },
  })
  const remediation = createRemediation({
    env,
    config,
    events,
    logs,
    alerts: { raise: () => undefined, recent: () => [] },
    store: wrap(await createRemediationStore(writer, join(home, 'remediation.db'))),
    ledger: {
      byRoot: (mid) => deliveries.filter((d) => d.rootMid === mid),
      bySubject: () => [],
      mailboxes: () => 2,
      prune: async () => undefined,
    },
    providers: new Map([['maildir', wrap(provider)]]),
  })
  try {
    await remediation.enqueue({ key: 'k', url: 'http://bad.example/', rootMids: MAILS })
    await remediation.drain(live)
    await env.clock.advance(3600_000)
    await remediation.drain(live)
  } catch (error) {
    if (!died()) throw error
  }
  return { died: died(), remediation, close: () => writer.close() }
}

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => e.name)

describe('remediation that is killed', () => {
  it('after any number of steps goes on in the next life and acts once on every copy', async () => {
    for (let steps = 1; ; steps++) {
      const home = mkdtempSync(join(tmpdir(), 'crash-'))
      try {
        const write = createMailboxWriter(join(home, 'mailboxes'))
        const deliveries = MAILS.map((mid) => delivery(mid, { recipient: 'user@example.com' }))
        for (const d of deliveries)
          await write.deliver(d.recipient, d.location, Buffer.from(`Message-ID: ${d.messageId}\r\n\r\n`), false)
        const sent = new Set<string>()
        const told: string[] = []
        const first = await life(home, steps, deliveries, sent, told)
        await first.close()
        const second = await life(home, 1e9, deliveries, sent, told)
        expect(second.remediation.list().map((j) => j.state)).toEqual(['done', 'done'])
        expect(files(join(home, 'mailboxes'))).toEqual([])
        expect(files(join(home, 'hold')).sort()).toEqual(['message', 'message', 'origin.json', 'origin.json'])
        expect(sent.size).toBe(2)
        // Each end stands in the logs, at most once more than it happened.
        expect([...new Set(told)].sort()).toEqual(['1 Remediated', '2 Remediated'])
        for (const line of new Set(told)) expect(told.filter((t) => t === line).length).toBeLessThanOrEqual(2)
        if (!first.died) expect(told).toHaveLength(2)
        for (const job of second.remediation.list()) await second.remediation.undo(job.id, 'admin', live)
        expect(files(join(home, 'mailboxes')).sort()).toEqual(deliveries.map((d) => d.location).sort())
        await second.close()
        if (!first.died) {
          expect(steps).toBeGreaterThan(6)
          return
        }
      } finally {
        rmSync(home, { recursive: true, force: true })
      }
    }
  })
})
