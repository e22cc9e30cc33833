import type { DiagnosticsOptions } from '../adapters/net/diagnostics.ts'
import type { DnsSettings } from '../config/sections/dns.ts'
import type { Env } from '../core/env.ts'
import type { Resolver } from '../core/resolver.ts'
import type { Appliance } from '../services/appliance.ts'
import type { Sessions } from './sessions.ts'

/** What decides how an appliance is put together. Tests pass fakes; bin/ passes the machine's. */
export interface ApplianceOptions {
  readonly home: string
  readonly env: Env
  /** `configure` is told of the servers of dnsconfig. */
  readonly resolver: Resolver & { configure?(settings: DnsSettings): void }
  /** Open the listeners, run queue, poller and remediation; false in batch without a running appliance: configuration and logs only. */
  readonly services: boolean
  /** `inline` writes on the calling thread (unit tests); `worker` in the writer worker. */
  readonly writer: 'inline' | 'worker'
  /** false: the writer syncs nothing, for the bench and the recorded sessions. */
  readonly durable?: boolean
  /** Only for a fresh home; ignored, with a word, on an old one. */
  readonly seed?: {
    readonly hostname?: string
    readonly smtp?: { readonly address: string; readonly port: number }
    readonly accept?: readonly string[]
    /** Turns the SSH server on. */
    readonly ssh?: { readonly address: string; readonly port: number }
  }
  /** The programs and tables of the machine, where a test has its own. */
  readonly diagnostics?: DiagnosticsOptions
  /** Somebody reads the notices: the first passphrase may be among them. */
  readonly atTerminal?: boolean
  /** Runs the binding of a port with the privileges that it needs; absent = those of the process. */
  readonly asRoot?: <T>(bind: () => Promise<T>) => Promise<T>
  /** Told once at start: what was seeded, what was ignored, where it listens. */
  readonly notice?: (line: string) => void
}

export interface RunningAppliance {
  readonly appliance: Appliance
  readonly sessions: Sessions
  stop(graceMs?: number): Promise<void>
}
