import type { CommandOutcome } from '../events/system.ts'
import type { Appliance } from '../services/appliance.ts'
import { createAsk } from './ask.ts'
import type { CommandEntry, Session } from './command.ts'
import { page } from './format/pager.ts'
import { createOutput } from './output.ts'
import type { Output } from './output.ts'
import { withinRights } from './rights.ts'
import { commandsOf } from './run.ts'
import { maskSecrets } from './secrets.ts'
import type { Terminal } from './terminal.ts'

export interface SessionOptions {
  readonly appliance: Appliance
  readonly terminal: Terminal
  readonly user: Session['user']
  /** The process at the operator's side, for `PID 274: User admin entered …`. */
  readonly pid: number
  readonly registry: readonly CommandEntry[]
}

/** A session and what its loop needs besides: not for commands. */
export interface OpenSession {
  readonly session: Session
  readonly output: Output
  readonly left: () => boolean
  /** Publishes what was typed at `prompt`. */
  readonly entered: (text: string, prompt: string) => void
  /** Publishes how a command ended. */
  readonly ran: (words: readonly string[], outcome: CommandOutcome) => void
}

export const openSession = ({ appliance, terminal, user, pid, registry }: SessionOptions): OpenSession => {
  const output = createOutput(terminal)
  let left = false
  const entered = (text: string, prompt: string): void => {
    appliance.events.publish({ type: 'cli.entered', pid, user: user.name, entered: text, prompt })
  }
  const session: Session = {
    user,
    draft: appliance.config.draft(),
    running: appliance.config.running,
    appliance: { ...appliance, config: withinRights(appliance.config, user.role) },
    terminal,
    ask: createAsk({ terminal, output, entered }),
    commands: commandsOf(registry, user.role),
    print: output.print,
    page: (lines) => page(terminal, output, lines),
    leave: () => {
      left = true
    },
  }
  const ran = (words: readonly string[], outcome: CommandOutcome): void => {
    const told = { pid, user: user.name, from: terminal.origin, command: maskSecrets(words.join(' ')), outcome }
    appliance.events.publish({ type: 'cli.ran', ...told })
  }
  return { session, output, left: () => left, entered, ran }
}
