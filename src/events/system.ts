import type { AlertClass, AlertSeverity } from '../config/sections/alerts.ts'

/** `end-of-input`: the operator's side was gone in the middle of a dialogue. */
export type CommandOutcome = 'done' | 'failed' | 'interrupted' | 'end-of-input'

/** The appliance itself: start and stop, commits, alerts, what operators typed. */
export type SystemEvent =
  | { readonly type: 'system.started'; readonly version: string; readonly pid: number }
  | { readonly type: 'system.stopping'; readonly reason: string }
  | {
      readonly type: 'system.committed'
      readonly pid: number
      readonly user: string
      readonly comment: string
      readonly revision: number
    }
  | { readonly type: 'system.rolled-back'; readonly user: string; readonly reason: string }
  | { readonly type: 'system.listening'; readonly listener: string; readonly address: string; readonly port: number }
  | { readonly type: 'system.listener-closed'; readonly listener: string }
  | {
      readonly type: 'system.fault'
      readonly code: string
      readonly where: string
      readonly error: string
      readonly reference: string
    }
  | { readonly type: 'system.warning'; readonly text: string }
  /** An operator changed what the appliance does now: `Mail delivery suspended`. */
  | { readonly type: 'system.operated'; readonly user: string; readonly text: string }
  | {
      readonly type: 'alert.raised'
      readonly class: AlertClass
      readonly severity: AlertSeverity
      readonly text: string
    }
  | {
      readonly type: 'alert.sent'
      readonly class: AlertClass
      readonly severity: AlertSeverity
      readonly to: string
      readonly subject: string
    }
  | { readonly type: 'intel.source-loaded'; readonly source: string; readonly indicators: number }
  | { readonly type: 'intel.source-failed'; readonly source: string; readonly error: string }
  /** `command` and `prompt` are already masked where an answer was secret. */
  | {
      readonly type: 'cli.entered'
      readonly pid: number
      readonly user: string
      readonly entered: string
      readonly prompt: string
    }
  /** A command has come to its end; `command` is masked. */
  | {
      readonly type: 'cli.ran'
      readonly pid: number
      readonly user: string
      readonly from: string
      readonly command: string
      readonly outcome: CommandOutcome
    }
  | { readonly type: 'cli.login'; readonly user: string; readonly from: string }
  | { readonly type: 'cli.logout'; readonly user: string; readonly from: string }
