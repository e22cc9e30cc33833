import { join } from 'node:path'
import { openSecretBox } from '../adapters/crypto/secrets.ts'
import { counterFile } from '../adapters/files/counters.ts'
import { createLineReader } from '../adapters/files/line-reader.ts'
import { createLogScanner, inlineLogScanner } from '../adapters/files/log-scanner.ts'
import { createLogFileWriter } from '../adapters/files/log-writer.ts'
import { createSyslog } from '../adapters/net/syslog.ts'
import { ALERT_MIGRATIONS, createAlertStore } from '../adapters/sqlite/alerts.ts'
import { inlineWriter, workerWriter } from '../adapters/sqlite/database.ts'
import type { SqliteWriter } from '../adapters/sqlite/database.ts'
import { REVISION_MIGRATIONS, createRevisionStore } from '../adapters/sqlite/revisions.ts'
import { TRACKING_MIGRATIONS, createTrackingStore } from '../adapters/sqlite/tracking.ts'
import { createFanOut } from '../adapters/tail/fan-out.ts'
import { createFileTail } from '../adapters/tail/follower.ts'
import { zoneinfo } from '../adapters/zoneinfo/zoneinfo.ts'
import { createConfigStore } from '../config/revisioned-store.ts'
import { alerts as alertSection } from '../config/sections/alerts.ts'
import { logSubscriptions } from '../config/sections/log-subscriptions.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigStore } from '../config/store.ts'
import { localTime } from '../core/localtime.ts'
import type { LocalTime } from '../core/localtime.ts'
import type { TimeZones } from '../core/timezone.ts'
import { createEventBus } from '../events/bus.ts'
import type { EventBus } from '../events/bus.ts'
import { COUNTER_NAMES, createCounters } from '../events/counters.ts'
import type { Counting } from '../events/counters.ts'
import { createAlertService } from '../logs/alert-service.ts'
import type { AlertMailer, AlertService } from '../logs/alerts.ts'
import { createLogService } from '../logs/service.ts'
import type { RunningLogs } from '../logs/service.ts'
import { trackingFacts } from '../store/tracking-facts.ts'
import type { TrackingRecorder } from '../store/tracking.ts'
import { seedAdministrator } from './accounts.ts'
import { caText } from './ca-text.ts'
import type { Home, Identity } from './home.ts'
import type { ApplianceOptions } from './options.ts'
import { seeding } from './seed.ts'
import { version } from './version.ts'

/** What stands before any mail moves: the writer, the configuration, the events and their renderings. */
export interface Foundation {
  readonly writer: SqliteWriter
  readonly zones: TimeZones
  readonly config: ConfigStore
  readonly time: LocalTime
  readonly events: EventBus
  readonly logs: RunningLogs
  readonly alerts: AlertService
  readonly tracking: TrackingRecorder
  readonly counters: Counting
  /** Ends it in reverse, once nothing publishes any more. */
  stop(): Promise<void>
}

const RETENTION = { maxMessages: 2_000_000, maxAgeDays: 90 }

export const layFoundation = async (
  options: ApplianceOptions,
  home: Home,
  identity: Identity,
  mailer: AlertMailer,
): Promise<Foundation> => {
  const { env } = options
  const { clock } = env
  const { serial } = identity
  const durability = { durable: options.durable ?? true }
  const writer = options.writer === 'inline' ? inlineWriter(durability) : workerWriter(durability)
  const events = createEventBus(clock)
  const zones = zoneinfo()
  const notice = options.notice ?? (() => undefined)

  const administrator = await seedAdministrator(options, home)
  const opened = await createConfigStore({
    revisions: createRevisionStore(await writer.open(home.db('config'), REVISION_MIGRATIONS)),
    secrets: openSecretBox(join(home.keys, 'secrets.key'), env.entropy),
    env,
    zones,
    events,
    pid: process.pid,
    seed: seeding(options.seed, administrator),
  })
  const config = opened.store
  const time = localTime(zones, () => config.running.get(system).timezone)
  if (!opened.fresh && options.seed && Object.keys(options.seed).length > 0)
    notice(`${home.root} is already set up: --hostname, --smtp, --accept and --ssh are ignored; use the shell.`)

  const reader = createLineReader()
  let alerts: (AlertService & { stop(): Promise<void> }) | null = null
  const logs = createLogService({
    directory: home.logs,
    version,
    serial,
    clock,
    time,
    events,
    createWriter: createLogFileWriter,
    reader,
    follower: createFanOut(createFileTail(reader)),
    scanner: options.writer === 'inline' ? inlineLogScanner() : createLogScanner(),
    syslog: createSyslog({ env, resolver: options.resolver, authorities: caText }),
    hostname: () => config.running.get(system).hostname,
    alerts: () => ({ raise: (alert) => alerts?.raise(alert) }),
  })
  logs.start(config.running.get(logSubscriptions))
  config.consume(logs.consumer)
  for (const text of opened.warnings) events.publish({ type: 'system.warning', text })

  const alertStore = createAlertStore(await writer.open(home.db('alerts'), ALERT_MIGRATIONS))
  const alertService = createAlertService({
    store: alertStore,
    mailer,
    events,
    clock,
    time,
    settings: () => config.running.get(alertSection),
    hostname: () => config.running.get(system).hostname,
    version,
    serial,
  })
  alerts = alertService

  const tracking = createTrackingStore({
    db: await writer.open(home.db('tracking'), TRACKING_MIGRATIONS),
    clock,
    retention: RETENTION,
    onLost: (text) => events.publish({ type: 'system.warning', text }),
  })
  const stopTracking = events.subscribe((at, event) => {
    for (const fact of trackingFacts(at, event)) tracking.record(fact)
  })
  const counters = createCounters({
    bus: events,
    store: counterFile(join(home.root, 'counters.json'), COUNTER_NAMES),
    clock,
  })

  const ended = new AbortController()
  const saving = options.services ? counters.run(ended.signal).catch(() => undefined) : Promise.resolve()

  return {
    writer,
    zones,
    config,
    time,
    events,
    logs,
    alerts: alertService,
    tracking,
    counters,
    stop: async () => {
      await alertService.stop()
      stopTracking()
      await tracking.stop()
      ended.abort(new Error('stopped'))
      await saving
      counters.close()
      await logs.stop()
      await writer.close()
    },
  }
}
