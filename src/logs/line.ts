import type { LogLevel, LogTypeName } from '../config/sections/log-subscriptions.ts'
import { LOG_LEVELS } from '../config/sections/log-subscriptions.ts'
import type { LocalTime } from '../core/localtime.ts'
import { printable } from '../core/text.ts'
import type { EventOf, EventType } from '../events/event.ts'
import type { LogLine } from './ports.ts'

/** Which log an event goes to, and its line there; null = this occurrence writes none. */
export interface Route<K extends EventType> {
  readonly log: LogTypeName
  render(event: EventOf<K>, time: LocalTime): LogLine | null
}

/** A decision for every event of `K`: no route = the event is in no log. A new event without an entry does not compile. */
export type LogTable<K extends EventType> = { readonly [T in K]: readonly Route<T>[] }

type Render<K extends EventType> = (event: EventOf<K>, time: LocalTime) => LogLine | null

export const to = <K extends EventType>(log: LogTypeName, render: Render<K>): Route<K> => ({ log, render })
export const toMailLogs = <K extends EventType>(render: Render<K>): readonly Route<K>[] => [to('mail_logs', render)]

/** What comes from a message or a peer is escaped by being interpolated: no renderer can forget it. */
export const line = (texts: TemplateStringsArray, ...values: readonly (string | number)[]): string =>
  texts.reduce((out, text, i) => {
    const value = values[i - 1]
    return out + (typeof value === 'string' ? printable(value) : String(value)) + text
  })

const at =
  (level: LogLevel) =>
  (text: string): LogLine => ({ level, text })
export const critical = at('Critical')
export const warning = at('Warning')
export const info = at('Info')
export const debug = at('Debug')
export const trace = at('Trace')

/** A subscription at `threshold` takes lines of `level`. */
export const takes = (threshold: LogLevel, level: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(threshold)

/** A payload may be large; a line must not be. */
const MAX_LINE = 32_768

const safe = (text: string): string => {
  const clean = printable(text)
  return clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE - 3)}...` : clean
}

/** The lines of a text, escaped; a renderer's line feeds part them. */
export const safeLines = (text: string): readonly string[] =>
  text.includes('\n') ? text.split('\n').map(safe) : [safe(text)]

/**
 * `Tue Mar 29 20:20:24 2022 Debug: text`. Line feeds that the renderer put there start continuation lines without a stamp,
 * as the protobuf payloads and the alert text of the reference have them.
 */
export const formatLine = (stamp: string, { level, text }: LogLine): string =>
  `${stamp} ${level}: ${safeLines(text).join('\n')}\n`
