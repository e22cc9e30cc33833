import { isIP } from 'node:net'
import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { isHostname } from '../../core/schema.ts'
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

export const SYSLOG_PROTOCOLS = ['udp', 'tcp', 'tls'] as const
export type SyslogProtocol = (typeof SYSLOG_PROTOCOLS)[number]
/** RFC 3164 §4.1.1 in the order of their numbers; 12 to 15 have no name that all systems share. */
export const SYSLOG_FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const
/** Bytes: what every receiver takes, and what one datagram or record carries. */
export const SYSLOG_BYTES = { min: 1024, udp: 9216, max: 65_535 } as const

const syslogPush = v.object({
  /** A name or an address. */
  host: v.pipe(
    v.string(),
    v.check((host) => isIP(host) !== 0 || isHostname(host), 'is neither a host name nor an address'),
  ),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  protocol: v.picklist(SYSLOG_PROTOCOLS),
  facility: v.picklist(SYSLOG_FACILITIES),
  /** Bytes of a message; a longer one is cut. */
  maxBytes: v.pipe(v.number(), v.integer(), v.minValue(SYSLOG_BYTES.min), v.maxValue(SYSLOG_BYTES.max)),
  /** PEM file of who signs the server's certificate, for TLS; null = the system's authorities. */
  caFile: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(1024))),
})
export type SyslogPush = v.InferOutput<typeof syslogPush>

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
  /** Where each line is sent as well; null = the files only. */
  push: v.nullable(syslogPush),
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
  push: null,
})

const datagramsFit = ({ name, push }: LogSubscription): readonly Issue[] =>
  push?.protocol === 'udp' && push.maxBytes > SYSLOG_BYTES.udp
    ? [
        {
          path: `log_subscriptions.${name}`,
          message: `Messages of the log ${name} over UDP may have at most ${SYSLOG_BYTES.udp} bytes.`,
          severity: 'error',
        },
      ]
    : []

/** `logconfig`. */
export const logSubscriptions = defineSection<LogSubscription[]>({
  name: 'log_subscriptions',
  version: 3,
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
  verify: (subs) => [...uniqueNames('log_subscriptions', subs), ...subs.flatMap(datagramsFit)],
  // Version 2 began with accounts: who logs in must be on record without anybody asking for it.
  migrations: {
    1: (old) => {
      const before = old as readonly LogSubscription[]
      const named = before.some((s) => s.name === 'authentication')
      return named ? before : [...before, subscription('authentication', 'authentication', 'Info')]
    },
    // Version 3 began with syslog push: what there was is not sent anywhere.
    2: (old) => (old as readonly LogSubscription[]).map((s) => ({ ...s, push: null })),
  },
})
