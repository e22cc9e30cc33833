import { join } from 'node:path'
import { logSubscriptions } from '../config/sections/log-subscriptions.ts'
import type { LogSubscription, SyslogPush } from '../config/sections/log-subscriptions.ts'
import type { ConfigConsumer } from '../config/section.ts'
import type { Clock } from '../core/clock.ts'
import { UserError } from '../core/errors.ts'
import type { LocalTime } from '../core/localtime.ts'
import type { EventBus } from '../events/bus.ts'
import type { AlertService } from './alerts.ts'
import { formatLine, info, line, takes, warning } from './line.ts'
import type {
  FileFollower,
  LineReader,
  LogFileHooks,
  LogFileSettings,
  LogFileWriter,
  LogFileWriterFactory,
  LogLine,
  LogScanner,
  LogService,
} from './ports.ts'
import { syslogMessages } from './syslog.ts'
import type { SyslogNetwork, SyslogSender } from './syslog.ts'
import { renderEvent } from './types/index.ts'

export interface LogServiceDeps {
  /** `<home>/logs` */
  readonly directory: string
  readonly version: string
  readonly serial: string
  readonly clock: Clock
  readonly time: LocalTime
  readonly events: EventBus
  readonly createWriter: LogFileWriterFactory
  readonly reader: LineReader
  readonly follower: FileFollower
  readonly scanner: LogScanner
  readonly syslog: SyslogNetwork
  /** Stands in pushed lines. */
  readonly hostname: () => string
  /** Asked when needed: alerts are built after the logs. */
  readonly alerts: () => Pick<AlertService, 'raise'>
}

export interface RunningLogs extends LogService {
  /** Registered with the configuration store: committed subscriptions work at once. */
  readonly consumer: ConfigConsumer<LogSubscription[]>
  /** Begins to write; events published before are not logged. */
  start(subscriptions: readonly LogSubscription[]): void
  /** Writes what is buffered and the end of each file. */
  stop(): Promise<void>
}

interface Open {
  subscription: LogSubscription
  readonly writer: LogFileWriter
  sender: SyslogSender | null
}

const samePush = (a: SyslogPush | null, b: SyslogPush | null): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Log files are renderings of events: subscribes to the bus and writes each event's lines to the subscriptions that take them. */
export const createLogService = (deps: LogServiceDeps): RunningLogs => {
  const { clock, time } = deps
  const open = new Map<string, Open>()
  let unsubscribe: (() => void) | null = null

  // Hundreds of lines share a second, and a zone look-up costs more than a line.
  let stampSecond = -1
  let stampText = ''
  const stamp = (at: Date): string => {
    const second = Math.floor(at.getTime() / 1000)
    if (second !== stampSecond) {
      stampSecond = second
      stampText = time.stamp(at)
    }
    return stampText
  }
  const own = (...lines: readonly LogLine[]): string => {
    const now = stamp(clock.now())
    return lines.map((l) => formatLine(now, l)).join('')
  }

  const settings = (s: LogSubscription): LogFileSettings => ({
    directory: join(deps.directory, s.name),
    fileName: s.fileName,
    rolloverBytes: s.rolloverBytes,
    maxFiles: s.maxFiles,
  })

  const hooks = (name: string): LogFileHooks => ({
    now: () => clock.now(),
    fileStamp: (at) => time.fileStamp(at),
    begin: () =>
      own(
        info('Begin Logfile'),
        info(line`Version: ${deps.version} SN: ${deps.serial}`),
        info(`Time offset from UTC: ${time.offsetSeconds(clock.now())} seconds`),
      ),
    end: (reason) => own(...(reason === 'rollover' ? [info('Logfile rolled over')] : []), info('End Logfile')),
    lost: (count, error) => own(warning(line`${count} log lines were lost: ${error}`)),
    removed: (path) => {
      if (!open.get(name)?.subscription.alertOnRemoval) return
      deps.alerts().raise({
        class: 'System',
        severity: 'Warning',
        text: `The log file ${path} was removed, because the log subscription ${name} keeps no more files.`,
      })
    },
    failing: (error) =>
      deps.events.publish({ type: 'system.warning', text: `The log ${name} cannot be written: ${error}` }),
  })

  const openSender = ({ name, push }: LogSubscription): SyslogSender | null => {
    if (push === null) return null
    const where = `${push.host} port ${push.port}`
    const warn = (text: string): void => deps.events.publish({ type: 'system.warning', text })
    return deps.syslog.open(push, {
      failing: (error) => warn(`The log ${name} cannot be sent to the syslog server ${where}: ${error}`),
      lost: (n) => warn(`${n} lines of the log ${name} were not sent to the syslog server ${where}`),
    })
  }
  // Nobody waits for a server that is away: the old connection ends beside the new one.
  const ending = new Set<Promise<void>>()
  const hangUp = ({ sender: old }: Open): void => {
    if (old === null) return
    const closed = old.close().finally(() => ending.delete(closed))
    ending.add(closed)
  }
  const begin = (subscription: LogSubscription): void => {
    const writer = deps.createWriter(settings(subscription), hooks(subscription.name))
    open.set(subscription.name, { subscription, writer, sender: openSender(subscription) })
  }

  const apply = async (next: readonly LogSubscription[]): Promise<void> => {
    for (const [name, present] of open) {
      const kept = next.find((s) => s.name === name)
      if (kept?.fileName === present.subscription.fileName) continue
      open.delete(name)
      hangUp(present)
      await present.writer.close()
    }
    for (const subscription of next) {
      const present = open.get(subscription.name)
      if (!present) {
        begin(subscription)
        continue
      }
      if (!samePush(present.subscription.push, subscription.push)) {
        hangUp(present)
        present.sender = openSender(subscription)
      }
      present.subscription = subscription
      present.writer.configure(settings(subscription))
    }
  }

  const must = (name: string): Open => {
    const found = open.get(name)
    if (!found) throw new UserError(`There is no log subscription named '${name}'.`)
    return found
  }

  const start = (subscriptions: readonly LogSubscription[]): void => {
    for (const subscription of subscriptions) begin(subscription)
    unsubscribe = deps.events.subscribe((at, event) => {
      for (const rendered of renderEvent(event, time, wanted)) {
        let text: string | null = null
        for (const { subscription, writer, sender } of open.values()) {
          if (subscription.type !== rendered.log || !takes(subscription.level, rendered.level)) continue
          writer.append((text ??= formatLine(stamp(at), rendered)))
          if (sender !== null && subscription.push !== null) {
            const head = { stamp: stamp(at), hostname: deps.hostname(), tag: subscription.name }
            for (const message of syslogMessages(subscription.push, head, rendered)) sender.send(message)
          }
        }
      }
    })
  }

  const wanted = (log: LogSubscription['type']): boolean => {
    for (const { subscription } of open.values()) if (subscription.type === log) return true
    return false
  }

  const flush = async (): Promise<void> => {
    await Promise.all([...open.values()].map(({ writer }) => writer.flush()))
  }

  async function* tail(name: string, lines: number, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const { writer } = must(name)
    await writer.open()
    await flush()
    yield* deps.follower.follow({ path: writer.link, files: () => writer.files().map((f) => f.path) }, lines, signal)
  }

  return {
    consumer: {
      section: logSubscriptions,
      prepare: async (next) =>
        next.flatMap(({ name, push }) => {
          const message = push === null ? null : deps.syslog.problem(push)
          return message === null
            ? []
            : [{ path: `log_subscriptions.${name}.push`, message, severity: 'error' as const }]
        }),
      apply: (next) => apply(next),
    },
    start,
    stop: async () => {
      // First, so that what could not be sent still stands in a file.
      for (const present of open.values()) {
        hangUp(present)
        present.sender = null
      }
      await Promise.allSettled(ending)
      unsubscribe?.()
      await Promise.allSettled([...open.values()].map(({ writer }) => writer.close()))
      open.clear()
    },
    subscriptions: () =>
      [...open.values()].map((o) => o.subscription).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    subscription: (name) => open.get(name)?.subscription,
    files: (name) => open.get(name)?.writer.files() ?? [],
    rollover: async (name) => await must(name).writer.rollover(),
    flush,
    tail,
    async *search(name, wish, signal) {
      const { writer } = must(name)
      await flush()
      yield* deps.scanner.scan(
        writer.files().map((f) => f.path),
        wish,
        signal,
      )
    },
    watch: (name, wish, signal) => deps.scanner.filter(tail(name, 0, signal), wish, signal),
    async *read(name, signal, files) {
      const { writer } = must(name)
      await flush()
      for (const file of files ?? writer.files()) yield* deps.reader.read(file.path, signal)
    },
  }
}
