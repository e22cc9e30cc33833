import type { ConfigReader } from '../config/section.ts'

export interface Health {
  readonly state: 'up' | 'degraded' | 'down' | 'disabled'
  readonly detail?: string
  readonly since: Date
}

/** Something that runs while the appliance runs. Configuration reaches it as a `ConfigConsumer`, not by restart. */
export interface Service {
  readonly name: string
  start(config: ConfigReader, signal: AbortSignal): Promise<void>
  /** Stops taking new work at once, waits up to `graceMs` for what is under way, then ends it. */
  stop(graceMs: number): Promise<void>
  health(): Health
}
