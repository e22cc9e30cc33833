import { ROLES } from '../config/sections/users.ts'
import type { Role } from '../config/sections/users.ts'
import type { ConfigDraft, ConfigReader } from '../config/section.ts'
import type { Field } from '../core/schema.ts'
import type { Appliance } from '../services/appliance.ts'
import type { Terminal } from './terminal.ts'

export type { Role }

/** Questions in the appliance's form. Each prints one blank line after the answer. A wrong answer is asked again (in batch: ends the script). */
export interface Ask {
  /** `question`, then `[default]> ` on the next line. With `bare`: `> `. */
  field<T>(
    question: string,
    field: Field<T>,
    initial?: T,
    options?: { readonly bare?: boolean; readonly secret?: boolean },
  ): Promise<T>
  /** As `field`, but Enter without a default answers null. */
  optional<T>(question: string, field: Field<T>): Promise<T | null>
  /** `question [N]> ` on one line. */
  confirm(question: string, initial: boolean): Promise<boolean>
  /** `Choose the operation you want to perform:`, `- NEW - …`, `[]> `. Unique prefixes count; Enter = null leaves the menu. */
  choose<K extends string>(options: Readonly<Partial<Record<K, string>>>, question?: string): Promise<K | null>
  /** `question`, `1. label` lines, `[1]> `. `initial` is an index; without it `[]> ` and an answer is required. */
  pick<T>(question: string, items: readonly T[], label: (item: T) => string, initial?: number): Promise<T>
  /** As `pick`, several numbers separated by commas. */
  pickMany<T>(
    question: string,
    items: readonly T[],
    label: (item: T) => string,
    initial?: readonly number[],
  ): Promise<readonly T[]>
  /** Lines up to a line that is only `.` (or Ctrl-D where `eof`). */
  paste(question: string, options?: { readonly eof?: boolean }): Promise<string>
}

export interface Session {
  readonly user: { readonly name: string; readonly fullName: string; readonly role: Role }
  readonly draft: ConfigDraft
  readonly running: ConfigReader
  readonly appliance: Appliance
  readonly ask: Ask
  readonly terminal: Terminal
  /** Commands this user may run, for `help` and completion. */
  readonly commands: readonly CommandEntry[]
  print(this: void, ...lines: readonly string[]): void
  /** Long output: stops at each screenful with `-Press Any Key For More-` on an interactive terminal. */
  page(this: void, lines: AsyncIterable<string> | Iterable<string>): Promise<void>
  /** Ends the session after this command. */
  leave(this: void): void
}

/** A batch line: `words` of the sub-command, then typed arguments in order, then `--options`. */
export interface Form {
  /** Shown by `help NAME`: `urlretroservice enable`. */
  readonly usage: string
  readonly words: readonly string[]
  /** Gets what follows `words`, already split and unquoted. @throws UserError on wrong arguments. */
  run(session: Session, args: readonly string[]): Promise<void>
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** For `help NAME` and docs/commands: what it does, in a few sentences. */
  readonly description: string
  /** `--seconds=SECONDS` → what it does, for each option of its batch forms. */
  readonly options?: Readonly<Record<string, string>>
  /** The recorded session that `help NAME` and the page show; the first by name when it is not said. */
  readonly example?: string
  readonly category: 'configure' | 'monitor' | 'diagnose' | 'system'
  readonly roles: readonly Role[]
  readonly needsCommit: boolean
  readonly forms?: readonly Form[]
  /** Runs when there are no words; a command without it needs a form. */
  run?(session: Session): Promise<void>
  /** What the words of its batch forms may go on with, for TAB. */
  complete?(session: Session, words: readonly string[]): readonly string[]
}

/** What the registry knows without loading the command. */
export interface CommandEntry {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly roles: readonly Role[]
  load(): Promise<Command>
}

export const ADMINISTRATORS: readonly Role[] = ['administrator']
export const OPERATORS: readonly Role[] = ['administrator', 'operator']
/** May stage changes; who of them may commit is said by `commit` and what else acts at once. */
export const STAGERS: readonly Role[] = ['administrator', 'operator', 'readonly']
export const EVERYONE: readonly Role[] = [...ROLES]
/** May look at configuration, logs and status. */
export const READERS: readonly Role[] = ['administrator', 'operator', 'readonly', 'technician']

export const defineCommand = (command: Command): Command => command
