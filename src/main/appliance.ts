import { join } from 'node:path'
import { createDiagnostics } from '../adapters/net/diagnostics.ts'
import { certificateMaker } from '../adapters/crypto/certificate.ts'
import { networkTools } from '../adapters/net/network-tools.ts'
import { createMaildirProvider } from '../adapters/maildir/provider.ts'
import { createImapProvider } from '../adapters/imap/provider.ts'
import { createHoldArea } from '../adapters/maildir/hold.ts'
import { imapMailboxes } from '../config/sections/imap-mailboxes.ts'
import { createRemediationStore } from '../adapters/sqlite/remediation.ts'
import { createWatchStore } from '../adapters/sqlite/watch.ts'
import { Fault } from '../core/errors.ts'
import { createForwarder } from '../remediation/forward.ts'
import { createRemediation } from '../remediation/service.ts'
import { createRetro } from '../retro/service.ts'
import { createSupervisor } from '../services/supervisor.ts'
import type { Appliance } from '../services/appliance.ts'
import type { DeliveryService } from '../services/delivery-queue.ts'
import { openAccounts } from './accounts.ts'
import { alertMailer } from './alert-mail.ts'
import { serversFor } from '../adapters/dns/resolver.ts'
import { dns as dnsSection } from '../config/sections/dns.ts'
import { openDns } from './dns.ts'
import { layFoundation } from './foundation.ts'
import { openHome, openIdentity } from './home.ts'
import { createIntel } from './intel.ts'
import { buildMail, openMailStores } from './mail.ts'
import type { ApplianceOptions, RunningAppliance } from './options.ts'
import { createRedirectService } from './redirect.ts'
import { createSessions } from './sessions.ts'
import { createSshService } from './ssh.ts'
import { buildDate, version } from './version.ts'

const GRACE_MS = 5000

/** Puts an appliance together from the machine's parts or a test's; starts its services when asked. */
export const buildAppliance = async (options: ApplianceOptions): Promise<RunningAppliance> => {
  const { env } = options
  const startedAt = env.clock.now()
  const home = openHome(options.home)
  const identity = openIdentity(home, env)
  const { serial, installedAt } = identity
  // Alerts exist before the queue that mails them.
  let queue: DeliveryService | null = null
  const base = await layFoundation(
    options,
    home,
    identity,
    alertMailer(env, () => queue),
  )
  const { config, events, alerts, writer } = base
  const stores = await openMailStores(base, options, home)

  const watch = await createWatchStore(writer, home.db('retro'))
  const intel = await createIntel({
    env,
    events,
    config: config.running,
    writer,
    directory: home.intel,
    database: home.db('intel'),
    configuration: home.configuration,
    resolver: options.resolver,
    serial,
    version,
    watched: (emailId) => watch.urls(emailId),
  })
  config.consume(intel.consumer)

  const forwarder = createForwarder({
    env,
    config: config.running,
    send: async (mail) => {
      if (queue === null) throw new Fault('NOT_CONFIGURED', 'the delivery queue is not there yet')
      await queue.enqueueLocal(mail)
    },
  })
  const remediation = createRemediation({
    env,
    config: config.running,
    events,
    alerts,
    logs: base.logs,
    store: await createRemediationStore(writer, home.db('remediation')),
    ledger: stores.ledger,
    providers: new Map([
      [
        'imap',
        createImapProvider({
          server: (profile) => config.running.get(imapMailboxes).find((s) => s.profile === profile),
          hold: createHoldArea(join(home.hold, 'imap')),
          clock: env.clock,
          forwarder,
        }),
      ],
      ['maildir', createMaildirProvider({ mailboxes: home.mailboxes, hold: home.hold, clock: env.clock, forwarder })],
    ]),
  })
  const retro = createRetro({
    env,
    config: config.running,
    events,
    alerts,
    store: watch,
    api: intel.retroApi,
    remediation,
  })
  config.consume(retro.consumer)

  const dns = openDns(config, options)
  const mail = buildMail(base, stores, intel, retro, { ...options, resolver: dns }, home)
  queue = mail.delivery
  const redirects = createRedirectService({
    env,
    events,
    config: config.running,
    reputation: intel.urlReputation,
    keys: home.keys,
  })
  config.consume(redirects.consumer)
  config.consume(redirects.certificates)
  const access = openAccounts(base, options, home)
  const sshService = createSshService({ keys: home.keys, appliance: () => appliance, sessions: () => sessions })
  config.consume(sshService.consumer)
  const supervisor = createSupervisor({
    env,
    events,
    services: [
      mail.delivery,
      mail.workQueue,
      mail.expiry,
      { name: 'intelligence', start: () => intel.start(), stop: (graceMs) => intel.stop(graceMs) },
      remediation,
      retro,
      mail.listeners,
      redirects,
      sshService,
    ],
  })

  const appliance: Appliance = {
    home: home.root,
    version,
    buildDate,
    serial,
    installedAt,
    startedAt,
    listening: () => mail.listeners.listening(),
    env,
    time: base.time,
    zones: base.zones,
    config,
    events,
    counters: base.counters,
    ids: stores.ids,
    logs: base.logs,
    alerts,
    tracking: base.tracking,
    spool: stores.spool,
    queue: mail.queue,
    traffic: mail.traffic,
    inbound: mail.inbound,
    quarantine: mail.quarantine,
    urlReputation: intel.urlReputation,
    intel: intel.admin,
    retro,
    remediation,
    network: networkTools({ servers: (name) => serversFor(name, base.config.running.get(dnsSection)) }),
    diagnostics: createDiagnostics(env, options.diagnostics),
    certificates: certificateMaker(env),
    ...access,
    ssh: () => sshService.running(),
    dns,
    callAhead: mail.callAhead,
    geolocation: mail.geolocation,
  }

  const sessions = createSessions(appliance)

  const close = async (): Promise<void> => {
    access.logins.close()
    await mail.close()
    await stores.ids.close()
    await base.stop()
  }
  try {
    if (options.services) {
      await mail.geolocation.refresh()
      await supervisor.start(config.running)
    }
  } catch (error) {
    await supervisor.stop(0)
    await close()
    throw error
  }
  if (options.services) {
    events.publish({ type: 'system.started', version, pid: process.pid })
    for (const l of appliance.listening()) options.notice?.(`${l.listener} listens on ${l.address} port ${l.port}.`)
  }
  return {
    appliance,
    sessions,
    stop: async (graceMs = GRACE_MS) => {
      if (options.services) events.publish({ type: 'system.stopping', reason: 'stopped by the operator' })
      await supervisor.stop(graceMs)
      await close()
    },
  }
}
