import type { LogLevel, LogSubscription } from '../config/sections/log-subscriptions.ts'

export interface LogFile {
  readonly path: string
  readonly openedAt: Date
  /** Still written to (`.c`); closed files end in `.s`. */
  readonly current: boolean
  readonly bytes: number
}

/** The log subscriptions at work. Own logs rotate by rename and are never truncated. */
export interface LogService {
  subscriptions(): readonly LogSubscription[]
  subscription(name: string): LogSubscription | undefined
  /** Oldest first. */
  files(name: string): readonly LogFile[]
  rollover(name: string): Promise<void>
  /** Resolves when every line published so far is in its file. */
  flush(): Promise<void>
  /** The last `lines` lines, then whatever is appended, through rotation, until the signal aborts. */
  tail(name: string, lines: number, signal: AbortSignal): AsyncIterable<string>
}

/** Follows one file that may be renamed, recreated or truncated; adapters/tail implements it with tail-file. */
export interface FileFollower {
  follow(path: string, lastLines: number, signal: AbortSignal): AsyncIterable<string>
}

/** Level and text of one line of a log; a text with line feeds becomes several lines. */
export interface LogLine {
  readonly level: LogLevel
  readonly text: string
}
