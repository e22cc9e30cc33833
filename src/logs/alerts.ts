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
