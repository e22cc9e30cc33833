import type { ConfigStore } from '../config/store.ts'
import type { Env } from '../core/env.ts'
import type { CachedResolver } from '../core/resolver-cache.ts'
import type { LocalTime } from '../core/localtime.ts'
import type { TimeZones } from '../core/timezone.ts'
import type { EventBus } from '../events/bus.ts'
import type { CounterReader } from '../events/counters.ts'
import type { IntelAdmin, UrlReputation } from '../intel/lookup.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { LogService } from '../logs/ports.ts'
import type { QuarantineService } from '../mail/quarantine.ts'
import type { RemediationService } from '../remediation/ports.ts'
import type { RetroService } from '../retro/ports.ts'
import type { Counters, SpoolStore } from '../store/spool.ts'
import type { TrackingStore } from '../store/tracking.ts'
import type { CallAhead } from './call-ahead.ts'
import type { CertificateMaker } from './certificate-maker.ts'
import type { InboundConnections } from './inbound-connections.ts'
import type { Accounts } from './accounts.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Logins } from './logins.ts'
import type { Geolocation } from './geolocation.ts'
import type { NetworkTools } from './network.ts'
import type { QueueControl } from './queue-control.ts'
import type { Traffic } from './traffic.ts'

/** Where the SSH server listens, and the keys by which clients know it. */
export interface RunningSsh {
  readonly address: string
  readonly port: number
  readonly hostKeys: readonly { readonly type: string; readonly fingerprint: string }[]
}

/** Everything that a shell session can see of the running appliance. Built once, by main/. */
export interface Appliance {
  readonly home: string
  readonly version: string
  /** ISO date of the build. */
  readonly buildDate: string
  /** `<20 hex>-<12 hex>`, made on first start and kept. */
  readonly serial: string
  readonly installedAt: Date
  readonly startedAt: Date
  /** Listening addresses by listener name; empty while listeners do not run (batch without a service). */
  listening(): readonly { readonly listener: string; readonly address: string; readonly port: number }[]
  readonly env: Env
  readonly time: LocalTime
  readonly zones: TimeZones
  readonly config: ConfigStore
  readonly events: EventBus
  readonly counters: CounterReader
  readonly ids: Counters
  readonly logs: LogService
  readonly alerts: AlertService
  readonly tracking: TrackingStore
  readonly spool: SpoolStore
  readonly queue: QueueControl
  readonly traffic: Traffic
  readonly inbound: InboundConnections
  readonly quarantine: QuarantineService
  readonly urlReputation: UrlReputation
  readonly intel: IntelAdmin
  readonly retro: RetroService
  readonly remediation: RemediationService
  readonly network: NetworkTools
  readonly diagnostics: Diagnostics
  readonly certificates: CertificateMaker
  readonly accounts: Accounts
  readonly logins: Logins
  /** The SSH server as it runs now; null = it does not. */
  ssh(): RunningSsh | null
  readonly dns: CachedResolver
  readonly callAhead: Pick<CallAhead, 'test' | 'flush'>
  readonly geolocation: Pick<Geolocation, 'of' | 'refresh'>
}
