import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { certificateFile, startTlsFile } from '../adapters/crypto/certificate.ts'
import { createPassphrases } from '../adapters/crypto/passphrase.ts'
import { createMailboxWriter, mailboxExists } from '../adapters/maildir/deliver.ts'
import { createShortLinks } from '../adapters/http/short-links.ts'
import { createStsFetch } from '../adapters/http/sts-fetch.ts'
import { createCountryFiles } from '../adapters/mmdb/country-files.ts'
import { ownAddresses } from '../adapters/net/own-addresses.ts'
import { createSecureResolver } from '../adapters/net/secure-resolver.ts'
import { createSmtpClient } from '../adapters/smtp/client.ts'
import { createCounters as createIds } from '../adapters/sqlite/counters-block.ts'
import { createDeliveryLedger } from '../adapters/sqlite/ledger.ts'
import { createQueueView } from '../adapters/sqlite/queue-view.ts'
import { SPOOL_MIGRATIONS } from '../adapters/sqlite/spool-schema.ts'
import { createSpoolStore } from '../adapters/sqlite/spool.ts'
import { STS_MIGRATIONS, createStsPolicyStore } from '../adapters/sqlite/sts-policies.ts'
import { createSuspensionStore } from '../adapters/sqlite/suspensions.ts'
import { serversFor } from '../adapters/dns/resolver.ts'
import { dns as dnsSection } from '../config/sections/dns.ts'
import { system } from '../config/sections/system.ts'
import { createAuthenticator } from '../mail/auth/authenticate.ts'
import { createDkimSigner } from '../mail/auth/dkim-sign.ts'
import { domainOf } from '../mail/message/addresses.ts'
import { createPipeline } from '../mail/pipeline/run.ts'
import { createScanPool } from '../mail/pipeline/scan-pool.ts'
import { workQueue as stages } from '../mail/pipeline/work-queue.ts'
import { createQuarantine } from '../mail/quarantine.ts'
import type { QuarantineService } from '../mail/quarantine.ts'
import type { RetroWatch } from '../retro/ports.ts'
import { createCallAhead } from '../services/call-ahead.ts'
import type { CallAhead } from '../services/call-ahead.ts'
import { createDeliveryService } from '../services/delivery-queue.ts'
import type { DeliveryService } from '../services/delivery-queue.ts'
import { createHostStatistics } from '../services/host-statistics.ts'
import { createInboundConnections } from '../services/inbound-connections.ts'
import type { InboundConnections } from '../services/inbound-connections.ts'
import { createQuarantineExpiry } from '../services/quarantine-expiry.ts'
import { createQueueControl } from '../services/queue-control.ts'
import type { QueueControl } from '../services/queue-control.ts'
import type { Service } from '../services/service.ts'
import type { Envelope } from '../services/smtp-connection-deps.ts'
import { watchRoom } from '../services/room-watch.ts'
import { createSmtpCertificates } from '../services/smtp-certificates.ts'
import { createGeolocation } from '../services/geolocation.ts'
import type { Geolocation } from '../services/geolocation.ts'
import { createSmtpListeners } from '../services/smtp-listeners.ts'
import type { SmtpListeners } from '../services/smtp-listeners.ts'
import { createSmtpUsers } from '../services/smtp-users.ts'
import { createSuspensions } from '../services/suspensions.ts'
import { createTraffic } from '../services/traffic.ts'
import type { Traffic } from '../services/traffic.ts'
import { contentFilterConsumer, createWorkQueue, messageFilterConsumer } from '../services/work-queue.ts'
import type { WorkQueue } from '../services/work-queue.ts'
import { createStsPolicies } from '../services/sts-policies.ts'
import { createTlsPolicies } from '../services/tls-policies.ts'
import type { QueueView, SuspensionStore } from '../store/queue.ts'
import type { Counters, DeliveryLedger, DeliveryQueue, SpoolStore } from '../store/spool.ts'
import type { StsPolicyStore } from '../store/sts-policies.ts'
import type { Foundation } from './foundation.ts'
import type { Home } from './home.ts'
import type { Intel } from './intel.ts'
import type { ApplianceOptions } from './options.ts'
import { version } from './version.ts'

/** The stores of mail: they stand before the services that move it. */
export interface MailStores {
  readonly spool: SpoolStore & DeliveryQueue
  readonly ledger: DeliveryLedger
  readonly view: QueueView
  readonly suspensions: SuspensionStore
  readonly stsPolicies: StsPolicyStore
  readonly ids: Counters & { close(): Promise<void> }
}

export const openMailStores = async (base: Foundation, options: ApplianceOptions, home: Home): Promise<MailStores> => {
  const database = await base.writer.open(home.db('spool'), SPOOL_MIGRATIONS)
  const spool = createSpoolStore({
    database,
    directory: home.spool,
    clock: options.env.clock,
    onSetAside: (mid, reason) =>
      base.alerts.raise({
        class: 'System',
        severity: 'Critical',
        text: `The spool entry of MID ${mid} is damaged and was set aside in ${join(home.spool, 'corrupt')}: ${reason}`,
      }),
  })
  return {
    spool,
    ledger: createDeliveryLedger(database),
    view: createQueueView(database, spool.moving),
    suspensions: createSuspensionStore(database),
    stsPolicies: createStsPolicyStore(await base.writer.open(home.db('mta-sts'), STS_MIGRATIONS)),
    ids: await createIds(database),
  }
}

/** Reception, pipeline, delivery. */
export interface Mail {
  readonly listeners: SmtpListeners
  readonly workQueue: WorkQueue
  readonly delivery: DeliveryService
  readonly quarantine: QuarantineService
  readonly expiry: Service
  readonly queue: QueueControl
  readonly traffic: Traffic
  readonly inbound: InboundConnections
  readonly callAhead: CallAhead
  readonly geolocation: Geolocation
  close(): Promise<void>
}

/** Built next to the bundle; when the sources run (vitest), the build of the global set-up is used. */
const scanWorker = (): string => {
  const beside = new URL('./scan-worker.js', import.meta.url)
  return fileURLToPath(existsSync(beside) ? beside : new URL('../../dist/scan-worker.js', import.meta.url))
}

const SCAN_THREADS = 2
const SCAN_DEADLINE_MS = 10_000
/** Messages at work at the same time: they share the syncs of the spool. */
const AT_WORK = 64

export const buildMail = (
  base: Foundation,
  stores: MailStores,
  intel: Intel,
  watch: RetroWatch,
  options: ApplianceOptions,
  home: Home,
): Mail => {
  const { events, time } = base
  const { env, resolver } = options
  const { clock } = env
  const { spool, ids } = stores
  const config = base.config.running
  const offsetSeconds = (at: Date): number => time.offsetSeconds(at)
  const scanner = createScanPool({
    workerFile: scanWorker(),
    threads: SCAN_THREADS,
    deadlineMs: SCAN_DEADLINE_MS,
    clock,
  })
  const suspensions = createSuspensions(stores.suspensions, clock)
  const hosts = createHostStatistics(clock)
  const inbound = createInboundConnections(events)
  const smtp = createSmtpClient({ clock })
  const hasMailbox = (address: string): Promise<boolean> => mailboxExists(home.mailboxes, address)
  const callAhead = createCallAhead({ env, config, events, resolver, smtp, mailboxExists: hasMailbox, ownAddresses })
  const geolocation = createGeolocation({ config, files: createCountryFiles(home.configuration), clock, events })
  const stsFetch = createStsFetch({ clock, resolver, userAgent: `lychgate/${version}` })
  const delivery = createDeliveryService({
    env,
    hosts,
    suspensions,
    events,
    ids,
    config,
    spool,
    ledger: stores.ledger,
    tlsPolicies: createTlsPolicies({
      config,
      resolver,
      secureResolver: createSecureResolver(env, { servers: (name) => serversFor(name, config.get(dnsSection)) }),
      stsPolicies: createStsPolicies({ env, resolver, events, fetch: stsFetch, store: stores.stsPolicies }),
    }),
    smtp,
    ownAddresses,
    mailboxes: createMailboxWriter(home.mailboxes),
    signer: createDkimSigner({ config, clock, events }),
    offsetSeconds,
  })
  const shortLinks = createShortLinks({ clock, resolver, userAgent: `lychgate/${version}` })
  const pipeline = createPipeline({
    stages: stages({
      authenticator: createAuthenticator({ resolver, clock, events }),
      sdr: intel.senderReputation,
      urlReputation: intel.urlReputation,
      shortLinks,
      watch,
      scanner,
      time,
    }),
    spool,
    ids,
    config,
    env,
    events,
    scanner,
  })
  const workQueue = createWorkQueue({
    spool,
    suspensions,
    pipeline,
    env,
    events,
    concurrency: AT_WORK,
  })
  const quarantine = createQuarantine({ spool, events, released: () => workQueue.wake() })
  const certificates = createSmtpCertificates(config, () =>
    certificateFile(startTlsFile(home.root), [config.get(system).hostname], env),
  )
  const listeners = createSmtpListeners({
    env,
    suspensions,
    events,
    ids,
    spool: watchRoom(spool, base.alerts),
    offsetSeconds,
    resolver,
    config,
    certificates,
    asRoot: options.asRoot,
    notice: options.notice,
    users: createSmtpUsers({ config, clock, passphrases: createPassphrases() }),
    addressScore: intel.addressScore,
    locate: geolocation.of,
    mailboxExists: hasMailbox,
    callAhead,
    onEnvelope: (envelope, signal) => firstPass(envelope, signal),
    onAccepted: () => workQueue.wake(),
  })
  const firstPass = async (envelope: Envelope, signal: AbortSignal): Promise<void> => {
    if (envelope.direction !== 'incoming' || !envelope.sdr) return
    const { mid, remoteAddress, reverseHost, helo, sender } = envelope
    const query = {
      remoteAddress,
      reverseHost,
      helo: helo === '' ? null : helo,
      envelopeFrom: domainOf(sender),
      headerFrom: null,
      replyTo: null,
    }
    await intel.senderReputation.judge('envelope', mid, query, signal)
  }
  base.config.consume(certificates.consumer)
  base.config.consume(geolocation.consumer)
  for (const consumer of listeners.consumers) base.config.consume(consumer)
  base.config.consume(messageFilterConsumer)
  base.config.consume(contentFilterConsumer)
  for (const consumer of delivery.consumers) base.config.consume(consumer)
  // Told once the queue holds it durably.
  events.subscribe((_at, event) => {
    if (event.type === 'message.queued') delivery.notify(event.mid)
  })
  return {
    listeners,
    workQueue,
    delivery,
    quarantine,
    queue: createQueueControl({ env, events, spool, view: stores.view, hosts, hold: delivery.hold, workQueue }),
    traffic: createTraffic({ suspensions, config, events, listeners, hold: delivery.hold, workQueue }),
    inbound,
    callAhead,
    geolocation,
    expiry: createQuarantineExpiry({ quarantine, config, env, events }),
    close: async () => {
      callAhead.close()
      await Promise.all([scanner.close(), shortLinks.close(), stsFetch.close()])
    },
  }
}
