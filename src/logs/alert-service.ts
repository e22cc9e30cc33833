import type { alerts as alertsSection } from '../config/sections/alerts.ts'
import type { Clock } from '../core/clock.ts'
import { errorText } from '../core/errors.ts'
import type { LocalTime } from '../core/localtime.ts'
import { printable, printableCut } from '../core/text.ts'
import type { EventBus } from '../events/bus.ts'
import { createSuppression } from './alert-suppression.ts'
import type { Alert, AlertMailer, AlertService, AlertStore } from './alerts.ts'

type AlertSettings = (typeof alertsSection)['defaults']

export interface AlertServiceDeps {
  readonly store: AlertStore
  readonly mailer: AlertMailer
  readonly events: EventBus
  readonly clock: Clock
  readonly time: LocalTime
  /** The running configuration, asked at each alert. */
  readonly settings: () => AlertSettings
  readonly hostname: () => string
  readonly version: string
  readonly serial: string
}

const MAX_KEPT = 1000
const SEND_TIMEOUT_MS = 30_000
const MAX_SUBJECT_TEXT = 120

const wants = (recipient: AlertSettings['recipients'][number], alert: Alert): boolean =>
  (recipient.classes.length === 0 || recipient.classes.includes(alert.class)) &&
  (recipient.severities.length === 0 || recipient.severities.includes(alert.severity))

/** Keeps alerts in the store and in memory, and mails them to who asked for them. `raise` never waits and never throws. */
export const createAlertService = (deps: AlertServiceDeps): AlertService & { stop(): Promise<void> } => {
  const { clock, events } = deps
  let kept: readonly Alert[] = deps.store.load(MAX_KEPT)
  const suppression = createSuppression(deps.settings)
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()

  const background = (task: Promise<void>): void => {
    underWay.add(task)
    void task.finally(() => underWay.delete(task))
  }

  const keep = async (alert: Alert): Promise<void> => {
    try {
      await deps.store.add(alert, deps.settings().kept)
    } catch (error) {
      events.publish({ type: 'system.warning', text: `An alert could not be kept: ${errorText(error)}` })
    }
  }

  const mail = async (alert: Alert, suppressed: number): Promise<void> => {
    const settings = deps.settings()
    const from = settings.from ?? `alert@${deps.hostname()}`
    const firstLine = alert.text.split('\n')[0] ?? ''
    const subject = `${alert.severity} <${alert.class}> ${deps.hostname()}: ${printableCut(firstLine, MAX_SUBJECT_TEXT)}`
    const body = [
      `The ${alert.severity} message is:`,
      '',
      ...alert.text.split('\n').map(printable),
      '',
      ...(suppressed > 0 ? [`${suppressed} equal alerts were raised since the last mail about it.`, ''] : []),
      `Version: ${deps.version}`,
      `Serial Number: ${deps.serial}`,
      `Timestamp: ${deps.time.stampZone(alert.at)}`,
      '',
    ].join('\n')
    for (const recipient of settings.recipients.filter((r) => wants(r, alert))) {
      try {
        const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)])
        await deps.mailer.send(recipient.address, from, subject, body, signal)
        events.publish({
          type: 'alert.sent',
          class: alert.class,
          severity: alert.severity,
          to: recipient.address,
          subject,
        })
      } catch (error) {
        const what = `Unable to send ${alert.class}/${alert.severity} alert to ${recipient.address}`
        events.publish({ type: 'system.warning', text: `Error while sending alert: ${what}: ${errorText(error)}` })
      }
    }
  }

  return {
    raise: (raised) => {
      const alert: Alert = { ...raised, at: clock.now() }
      kept = [alert, ...kept].slice(0, deps.settings().kept)
      events.publish({ type: 'alert.raised', ...raised })
      background(keep(alert))
      const { mail: now, suppressed } = suppression.admit(
        `${alert.class}\0${alert.severity}\0${alert.text}`,
        clock.now().getTime(),
      )
      if (now) background(mail(alert, suppressed))
    },
    recent: (limit) => kept.slice(0, Math.min(limit, deps.settings().kept)),
    stop: async () => {
      await Promise.all(underWay)
      stopping.abort()
    },
  }
}
