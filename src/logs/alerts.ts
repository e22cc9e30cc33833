import type { AlertClass, AlertSeverity } from '../config/sections/alerts.ts'

export interface Alert {
  readonly at: Date
  readonly class: AlertClass
  readonly severity: AlertSeverity
  readonly text: string
}

/** Kept alerts, for `displayalerts`; raising one also mails it to the recipients of `alertconfig`. */
export interface AlertService {
  raise(alert: Omit<Alert, 'at'>): void
  /** Newest first. */
  recent(limit: number): readonly Alert[]
}

/** Where alerts outlive a restart; adapters/sqlite implements it. */
export interface AlertStore {
  /** Newest first. */
  load(limit: number): readonly Alert[]
  /** Keeps this one and the newest others, `kept` in all. */
  add(alert: Alert, kept: number): Promise<void>
}

/** Puts alert mail into our own queue; resolves when it is durably queued. */
export interface AlertMailer {
  send(to: string, from: string, subject: string, text: string, signal: AbortSignal): Promise<void>
}
