import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const LOG_TYPES = [
  'mail_logs',
  'ecs',
  'url_rep_client',
  'remediation',
  'system_logs',
  'cli_logs',
  'authentication',
] as const
export type LogTypeName = (typeof LOG_TYPES)[number]
export const LOG_LEVELS = ['Critical', 'Warning', 'Info', 'Debug', 'Trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const logSubscription = v.object({
  name: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9_.-]{1,64}$/),
    v.check((n) => !n.startsWith('.'), 'starts with a dot'),
  ),
  type: v.picklist(LOG_TYPES),
  level: v.picklist(LOG_LEVELS),
  /** Stem of the file names: `mail` gives `mail.@20220329T202010.c` and `mail.current`. */
  fileName: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/)),
  /** Bytes after which a file is closed and the next begun. */
  rolloverBytes: v.pipe(v.number(), v.integer(), v.minValue(4096), v.maxValue(1_073_741_824)),
  maxFiles: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  /** Raise an alert when an old file is removed because of `maxFiles`. */
  alertOnRemoval: v.boolean(),
})
export type LogSubscription = v.InferOutput<typeof logSubscription>

const subscription = (type: LogTypeName, fileName: string, level: LogLevel): LogSubscription => ({
  name: type,
  type,
  level,
  fileName,
  rolloverBytes: 10_485_760,
  maxFiles: 10,
  alertOnRemoval: false,
})

/** `logconfig`. */
export const logSubscriptions = defineSection<LogSubscription[]>({
  name: 'log_subscriptions',
  version: 2,
  schema: v.array(logSubscription),
  defaults: [
    subscription('authentication', 'authentication', 'Info'),
    subscription('cli_logs', 'cli', 'Info'),
    subscription('ecs', 'ecs', 'Trace'),
    subscription('mail_logs', 'mail', 'Info'),
    subscription('remediation', 'remediation', 'Info'),
    subscription('system_logs', 'system', 'Info'),
    subscription('url_rep_client', 'url_rep_client', 'Trace'),
  ],
  verify: (subs) => uniqueNames('log_subscriptions', subs),
  // Version 2 began with accounts: who logs in must be on record without anybody asking for it.
  migrations: {
    1: (old) => {
      const before = old as readonly LogSubscription[]
      const named = before.some((s) => s.name === 'authentication')
      return named ? before : [...before, subscription('authentication', 'authentication', 'Info')]
    },
  },
})
