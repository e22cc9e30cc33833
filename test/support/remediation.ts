import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { createRemediationStore } from '../../src/adapters/sqlite/remediation.ts'
import { urlFiltering } from '../../src/config/sections/url-filtering.ts'
import type { Env } from '../../src/core/env.ts'
import { createEventBus } from '../../src/events/bus.ts'
import type { ApplianceEvent } from '../../src/events/event.ts'
import type { Alert } from '../../src/logs/alerts.ts'
import type { Found, MailboxProvider, Remedy, RemedyOutcome } from '../../src/remediation/ports.ts'
import { createRemediation } from '../../src/remediation/service.ts'
import type { RemediationRuntime } from '../../src/remediation/service.ts'
import type { RemediationStore } from '../../src/store/repositories/remediation.ts'
import type { Delivery, DeliveryLedger } from '../../src/store/spool.ts'
import { testEnv } from './env.ts'
import type { FakeClock } from './fake-clock.ts'
import { TestConfig } from './retro.ts'

export const delivery = (mid: number, more: Partial<Delivery> = {}): Delivery => ({
  mid,
  rootMid: mid,
  rid: 0,
  recipient: `user${mid}@example.com`,
  direction: 'incoming',
  sender: 'a@x.example',
  messageId: `<${mid}@x.example>`,
  subject: `subject ${mid}`,
  deliveredAt: new Date('2022-03-30T00:00:00Z'),
  via: 'maildir',
  location: `1.M${mid}R0.mx`,
  sha256: '',
  receivedId: `${mid}.x`,
  ...more,
})

/** Mailboxes in memory: what is deleted is held, and every act is counted. */
export class FakeMailboxes implements MailboxProvider {
  readonly kind = 'maildir'
  readonly present = new Map<string, { readonly confirmed: boolean }>()
  readonly held = new Set<string>()
  readonly deleted: string[] = []
  readonly forwarded = new Map<string, string>()
  /** Taken one a call, before anything is done. */
  readonly outcomes: (RemedyOutcome | Error)[] = []
  /** Thrown after the act was done, as when the process dies before it can note it. */
  dieAfterActing: Error | null = null

  put(d: Delivery, confirmed = true): void {
    this.present.set(`${d.mid}/${d.rid}`, { confirmed })
  }
  probe = async () => ({ ok: true, detail: '' })
  async *find(target: Delivery): AsyncGenerator<Found> {
    const id = `${target.mid}/${target.rid}`
    const copy = this.present.get(id)
    if (copy) yield { mailbox: target.recipient, id, folder: 'INBOX', confirmed: copy.confirmed, evidence: 'not ours' }
    await Promise.resolve()
  }
  remedy: MailboxProvider['remedy'] = async (
    { id }: Found,
    remedy: Remedy,
    target: Delivery,
  ): Promise<RemedyOutcome> => {
    const outcome = this.outcomes.shift()
    if (outcome instanceof Error) throw outcome
    if (outcome) return outcome
    if (this.held.has(id)) return { status: 'done', held: id }
    if (!this.present.has(id)) return { status: 'not-found', detail: 'gone' }
    if (remedy.kind === 'forward') this.forwarded.set(id, remedy.to)
    if (remedy.kind === 'delete' || remedy.thenDelete) {
      this.present.delete(id)
      this.held.add(id)
      this.deleted.push(`${target.mid} ${target.recipient}`)
    }
    if (this.dieAfterActing) throw this.dieAfterActing
    return { status: 'done', held: this.held.has(id) ? id : null }
  }
  undo = async (held: string): Promise<RemedyOutcome> => {
    if (!this.held.delete(held)) return { status: 'not-found', detail: 'no longer held' }
    this.present.set(held, { confirmed: true })
    return { status: 'done', held: null }
  }
  pruneHeld = async () => 0
}

export interface RemediationRig {
  readonly env: Env & { readonly clock: FakeClock }
  readonly config: TestConfig
  readonly events: ApplianceEvent[]
  readonly alerts: Omit<Alert, 'at'>[]
  readonly mailboxes: FakeMailboxes
  known: number
  remediation: RemediationRuntime
  store: RemediationStore
  /** In the ledger only. */
  record(...list: readonly Delivery[]): void
  /** In the ledger and in its mailbox. */
  deliver(...list: readonly Delivery[]): void
  restart(): Promise<void>
  end(): Promise<void>
}

export const remediationRig = async (): Promise<RemediationRig> => {
  const folder = mkdtempSync(join(tmpdir(), 'remediation-'))
  const env = testEnv()
  const config = new TestConfig()
  config.set(urlFiltering, { marEnabled: true })
  const events: ApplianceEvent[] = []
  const alerts: Omit<Alert, 'at'>[] = []
  const mailboxes = new FakeMailboxes()
  const byRoot = new Map<number, Delivery[]>()
  const ledger: DeliveryLedger = {
    byRoot: (mid) => byRoot.get(mid) ?? [],
    bySubject: (subject) => [...byRoot.values()].flat().filter((d) => d.subject === subject),
    mailboxes: () => rig.known,
    prune: async () => undefined,
  }
  let writer = inlineWriter()
  const build = async () => {
    const bus = createEventBus(env.clock)
    bus.subscribe((_, event) => events.push(event))
    const store = await createRemediationStore(writer, join(folder, 'remediation.db'))
    const alertService = { raise: (a: Omit<Alert, 'at'>) => void alerts.push(a), recent: () => [] }
    const logs = { flush: () => Promise.resolve() }
    const providers = new Map<string, MailboxProvider>([['maildir', mailboxes]])
    const remediation = createRemediation({
      env,
      config,
      events: bus,
      alerts: alertService,
      logs,
      store,
      ledger,
      providers,
    })
    return { store, remediation }
  }
  const rig: RemediationRig = {
    env,
    config,
    events,
    alerts,
    mailboxes,
    known: 10,
    ...(await build()),
    record: (...list) => {
      for (const d of list) byRoot.set(d.rootMid, [...(byRoot.get(d.rootMid) ?? []), d])
    },
    deliver: (...list) => {
      rig.record(...list)
      for (const d of list) mailboxes.put(d)
    },
    restart: async () => {
      await writer.close()
      writer = inlineWriter()
      Object.assign(rig, await build())
    },
    end: async () => {
      await rig.remediation.stop(0)
      await writer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return rig
}
