import { SYSLOG_FACILITIES } from '../config/sections/log-subscriptions.ts'
import type { LogLevel, SyslogPush } from '../config/sections/log-subscriptions.ts'
import { safeLines } from './line.ts'
import type { LogLine } from './ports.ts'

/** Who hears of what becomes of the messages. Never throws. */
export interface SyslogHooks {
  /** Sending began to fail; told once until it works for a while. */
  readonly failing: (error: string) => void
  /** Messages that were given up; told when it works again, and at the end. */
  readonly lost: (messages: number) => void
}

/** The way to one syslog server; adapters/net implements it. */
export interface SyslogSender {
  /** One message without its framing. Never waits and never throws: when the buffer is full the oldest goes. */
  send(message: string): void
  /** Sends what is buffered when the server takes it soon, then ends. */
  close(): Promise<void>
}

export interface SyslogNetwork {
  open(target: SyslogPush, hooks: SyslogHooks): SyslogSender
  /** What would keep it from working, such as a CA file that cannot be read; null = nothing. */
  problem(target: SyslogPush): string | null
}

/** RFC 3164 §4.1.1: syslog has no level below Debug. */
const SEVERITY: Readonly<Record<LogLevel, number>> = { Critical: 2, Warning: 4, Info: 6, Debug: 7, Trace: 7 }
/** 12 to 15 are not in the list of facilities: local0 is 16. */
const facilityNumber = (facility: SyslogPush['facility']): number => {
  const at = SYSLOG_FACILITIES.indexOf(facility)
  return at < 12 ? at : at + 4
}

/** At a character's beginning, so that no half character is sent. */
const cut = (message: string, maxBytes: number): string => {
  const bytes = Buffer.from(message)
  if (bytes.length <= maxBytes) return message
  let end = maxBytes - 3
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${bytes.toString('utf8', 0, end)}...`
}

export interface SyslogHead {
  /** `Tue Mar 29 20:20:24 2022`, as in the files. */
  readonly stamp: string
  readonly hostname: string
  /** The log subscription's name. */
  readonly tag: string
}

/**
 * `<22>Mar 29 20:20:24 mail.example.com mail_logs: Info: text` (RFC 3164, as AsyncOS pushes it): one message for each
 * line, escaped as in the files.
 */
export const syslogMessages = (
  { facility, maxBytes }: SyslogPush,
  { stamp, hostname, tag }: SyslogHead,
  { level, text }: LogLine,
): readonly string[] => {
  const priority = facilityNumber(facility) * 8 + SEVERITY[level]
  const head = `<${priority}>${stamp.slice(4, 19)} ${hostname} ${tag}: ${level}: `
  return safeLines(text).map((line) => cut(`${head}${line}`, maxBytes))
}
