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
  /**
   * The last `lines` lines, then whatever is appended, through rotation, until the signal aborts.
   * @throws UserError when whoever reads is too slow for the log
   */
  tail(name: string, lines: number, signal: AbortSignal): AsyncIterable<readonly string[]>
  /** What `grep` prints of the stored lines, oldest first, some at a time; constant memory, stops at once. */
  search(name: string, wish: LogSearch, signal: AbortSignal): AsyncIterable<readonly string[]>
  /** Of what is appended from now on, the hits; no context. */
  watch(name: string, wish: LogSearch, signal: AbortSignal): AsyncIterable<readonly string[]>
  /** The stored lines of a subscription, oldest first, some at a time; constant memory. */
  read(name: string, signal: AbortSignal, files?: readonly LogFile[]): AsyncIterable<readonly string[]>
}

/** What `FileFollower` follows: `path` always leads to the file now written to; `files` are all of them, oldest first. */
export interface FollowSource {
  readonly path: string
  files(): readonly string[]
}

/** Follows files that are renamed, recreated or truncated, each file once for all who ask; adapters/tail implements it. */
export interface FileFollower {
  /** Some lines at a time. @throws UserError when whoever reads is too slow */
  follow(source: FollowSource, lastLines: number, signal: AbortSignal): AsyncIterable<readonly string[]>
}

/** What an operator looks for in a log. */
export interface LogSearch {
  /** Regular expressions in the syntax of core/regex.ts; a line is a hit when any of them matches. */
  readonly patterns: readonly string[]
  readonly ignoreCase: boolean
  /** Hits are the lines that do not match. */
  readonly invert: boolean
  /** Lines before and after each hit. */
  readonly context: number
}

/** Searches where neither patterns nor sizes hold up anything else; adapters/files implements it with threads. */
export interface LogScanner {
  /** Hits with their context (`--` between groups), some lines at a time; ends at once when the signal aborts. */
  scan(paths: readonly string[], wish: LogSearch, signal: AbortSignal): AsyncIterable<readonly string[]>
  /** The hits among lines that come. */
  filter(
    lines: AsyncIterable<readonly string[]>,
    wish: LogSearch,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>
}

/** Reads a file's lines in batches. A file that has gone meanwhile has no lines. */
export interface LineReader {
  read(path: string, signal: AbortSignal): AsyncIterable<readonly string[]>
}

/** How one subscription's files look and when the next is begun. */
export interface LogFileSettings {
  readonly directory: string
  /** Stem: `mail` gives `mail.@20220329T202010.c` and `mail.current`. */
  readonly fileName: string
  readonly rolloverBytes: number
  readonly maxFiles: number
}

/** What the writer asks its owner: the texts around a file's lines, and who hears of trouble. Never throws. */
export interface LogFileHooks {
  readonly now: () => Date
  /** `20220329T202010`, the local time in a file's name. */
  readonly fileStamp: (at: Date) => string
  readonly begin: () => string
  readonly end: (reason: 'rollover' | 'stop') => string
  /** One line that says how many lines a full or broken disk cost. */
  readonly lost: (lines: number, error: string) => string
  /** A closed file was removed because there were more than `maxFiles`. */
  readonly removed: (path: string) => void
  /** Writing began to fail; told once until it works again. */
  readonly failing: (error: string) => void
}

/** The files of one subscription. */
export interface LogFileWriter {
  /** Whole lines, LF at the end. Never waits and never throws: what does not fit in the buffer is counted as lost. */
  append(text: string): void
  /** Resolves when everything appended so far is in the file or counted as lost. */
  flush(): Promise<void>
  /** Begins a new file. @throws Fault STORE_FULL when it cannot. */
  rollover(): Promise<void>
  /** Opens the current file when there is none yet. */
  open(): Promise<void>
  configure(settings: LogFileSettings): void
  /** The link to the current file. */
  readonly link: string
  files(): readonly LogFile[]
  close(): Promise<void>
}

export type LogFileWriterFactory = (settings: LogFileSettings, hooks: LogFileHooks) => LogFileWriter

/** Level and text of one line of a log; a text with line feeds becomes several lines. */
export interface LogLine {
  readonly level: LogLevel
  readonly text: string
}
