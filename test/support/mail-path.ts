import { join } from 'node:path'
import { certificateFile, startTlsFile } from '../../src/adapters/crypto/certificate.ts'
import { createMailboxWriter } from '../../src/adapters/maildir/deliver.ts'
import type { SqliteWriter } from '../../src/adapters/sqlite/database.ts'
import { createSmtpClient } from '../../src/adapters/smtp/client.ts'
import { delivery } from '../../src/config/sections/delivery.ts'
import { defaultListener, listeners } from '../../src/config/sections/listeners.ts'
import type { Listener } from '../../src/config/sections/listeners.ts'
import { system } from '../../src/config/sections/system.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Clock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import type { Resolver } from '../../src/core/resolver.ts'
import type { SecureResolver } from '../../src/core/secure-resolver.ts'
import { createDkimSigner } from '../../src/mail/auth/dkim-sign.ts'
import { createEventBus } from '../../src/events/bus.ts'
import type { ApplianceEvent, EventOf, EventType } from '../../src/events/event.ts'
import { createHostStatistics } from '../../src/services/host-statistics.ts'
import { createSuspensions } from '../../src/services/suspensions.ts'
import { createDeliveryService } from '../../src/services/delivery-queue.ts'
import { createSmtpCertificates } from '../../src/services/smtp-certificates.ts'
import { createSmtpListeners } from '../../src/services/smtp-listeners.ts'
import type { SmtpListenersDeps } from '../../src/services/smtp-listeners.ts'
import type { StsPolicies } from '../../src/services/sts-policies.ts'
import { createTlsPolicies } from '../../src/services/tls-policies.ts'
import type { SmtpClient } from '../../src/mail/delivery/transport.ts'
import { TestConfig } from './config-reader.ts'
import { openSpool, temporaryHome } from './spool.ts'

export const noDns: Resolver = {
  resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
  reverse: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
}

export interface MailPathOptions {
  readonly listener?: Partial<Listener>
  readonly resolver?: Resolver
  readonly clock?: Clock
  readonly home?: string
  readonly spool?: SmtpListenersDeps['spool']
  readonly onEnvelope?: SmtpListenersDeps['onEnvelope']
  readonly callAhead?: SmtpListenersDeps['callAhead']
  readonly users?: SmtpListenersDeps['users']
  readonly ids?: SmtpListenersDeps['ids']
  /** Accepted messages go straight into the delivery queue. */
  readonly straight?: boolean
  readonly secureResolver?: SecureResolver
  readonly stsPolicies?: StsPolicies
  readonly smtp?: SmtpClient
  readonly keepConnectionMs?: number
  readonly newWriter?: () => SqliteWriter
}

/** Reception, spool and delivery on real sockets and files, without the pipeline between them. */
export const mailPath = async (options: MailPathOptions = {}) => {
  const clock = options.clock ?? systemClock
  const temporary = temporaryHome()
  const home = options.home ?? temporary.home
  const env = { clock, entropy: systemEntropy }
  const stored = await openSpool(clock, home, options.newWriter)
  const log: ApplianceEvent[] = []
  const events = createEventBus(clock)
  const waiters = new Set<() => void>()
  events.subscribe((_at, event) => {
    log.push(event)
    for (const wake of waiters) wake()
  })
  const config = new TestConfig()
    .set(system, { hostname: 'mail.example.com', timezone: 'Etc/GMT' })
    .set(listeners, [{ ...defaultListener, port: 0, ...options.listener }])
    .set(delivery, { ...delivery.defaults, connectTimeoutSeconds: 2, replyTimeoutSeconds: 2 })
  const common = {
    env,
    events,
    ids: stored.counters,
    config,
    resolver: options.resolver ?? noDns,
    offsetSeconds: () => 0,
  }
  const suspensions = createSuspensions(stored.suspensionStore, clock)
  const hosts = createHostStatistics(clock)
  const queue = createDeliveryService({
    ...common,
    hosts,
    suspensions,
    tlsPolicies: createTlsPolicies({
      config,
      resolver: common.resolver,
      secureResolver: options.secureResolver ?? { resolve: () => Promise.reject(new Error('no')) },
      stsPolicies: options.stsPolicies ?? { policyOf: () => Promise.resolve(null) },
    }),
    spool: stored.spool,
    ledger: stored.ledger,
    smtp: options.smtp ?? createSmtpClient({ clock }),
    keepConnectionMs: options.keepConnectionMs ?? 0,
    mailboxes: createMailboxWriter(join(home, 'mailboxes')),
    signer: createDkimSigner({ config, clock, events }),
  })
  const accepted: number[] = []
  const smtp = createSmtpListeners({
    ...common,
    suspensions,
    spool: options.spool ?? stored.spool,
    ...(options.ids ? { ids: options.ids } : {}),
    certificates: createSmtpCertificates(config, () => certificateFile(startTlsFile(home), ['mail.example.com'], env)),
    onEnvelope: options.onEnvelope,
    users: options.users,
    callAhead: options.callAhead,
    onAccepted: (mid) => {
      accepted.push(mid)
      const entry = stored.spool.entry(mid)
      if (options.straight && entry)
        void stored.spool
          .replace(mid, [{ ...entry, state: { kind: 'queued' }, body: null }])
          .then(() => queue.notify(mid))
    },
  })
  const of = <K extends EventType>(type: K) => log.filter((e): e is EventOf<K> => e.type === type)
  return {
    home,
    log,
    config,
    events,
    smtp,
    queue,
    hosts,
    suspensions,
    accepted,
    of,
    ...stored,
    port: () => smtp.listening()[0]?.port ?? 0,
    /** Resolves when `n` events of the type have been published. */
    until: async (type: EventType, n = 1): Promise<void> => {
      while (of(type).length < n)
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiters.delete(wake)
            resolve()
          }
          waiters.add(wake)
        })
    },
    stop: async () => {
      await smtp.stop(0)
      await queue.stop(0)
      await stored.close()
      temporary.remove()
    },
  }
}
export type MailPath = Awaited<ReturnType<typeof mailPath>>
