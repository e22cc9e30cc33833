import { system } from '../config/sections/system.ts'
import { EndOfInput, errorText, Fault, Interrupted, UserError } from '../core/errors.ts'
import { uuid } from '../core/entropy.ts'
import type { CommandOutcome } from '../events/system.ts'
import { attend } from './attendance.ts'
import { completeLine } from './complete.ts'
import { confirmLeave } from './leave.ts'
import { splitCommands } from './parse.ts'
import { runCommand } from './run.ts'
import { maskSecrets } from './secrets.ts'
import { openSession } from './session.ts'
import type { OpenSession, SessionOptions } from './session.ts'

export interface ShellOptions extends SessionOptions {
  /** Printed first, on terminals where somebody sits. */
  readonly banner?: readonly string[]
}

/** Reads and runs commands until the operator leaves or the input ends. Resolves to the exit status: 0, or 1 when a command failed. */
export const runShell = async (options: ShellOptions): Promise<number> => {
  const { terminal } = options
  const opened = openSession(options)
  return await attend(opened, async () => {
    if (terminal.batch !== undefined) return await runScript(opened, terminal.batch)
    if (terminal.interactive) opened.output.print(...(options.banner ?? []))
    return await talk(opened)
  })
}

const topPrompt = ({ session }: OpenSession): string => `${session.running.get(system).hostname}> `

/** Somebody answers: whatever goes wrong, the prompt comes back. */
const talk = async (opened: OpenSession): Promise<number> => {
  const { output } = opened
  let status = 0
  let blankAbove = true
  while (!opened.left()) {
    if (blankAbove) output.blank()
    const line = await readCommand(opened, topPrompt(opened))
    // Enter alone and Ctrl-C show the next prompt at once, without a blank line between.
    blankAbove = typeof line === 'string' && line.trim() !== ''
    if (line === null) {
      if (opened.left() || (await leaves(opened))) break
      blankAbove = true
    } else if (line !== INTERRUPTED && blankAbove) {
      output.write('\n')
      const outcome = await runLine(opened, line)
      status = outcome === 'done' ? 0 : 1
      if (outcome === 'end-of-input' && (opened.left() || (await leaves(opened)))) break
    }
  }
  return status
}

/** A script: ends at the first failure, so that the answers that follow it are never taken for commands. */
const runScript = async (opened: OpenSession, batch: NonNullable<OpenSession['session']['terminal']['batch']>) => {
  const { session, output } = opened
  const stopped = (): void => {
    const where = batch.position()
    if (where !== null) session.terminal.notice?.(`Stopped at ${where} of the input; what follows was not run.`)
  }
  let status = 0
  while (!opened.left()) {
    if (batch.prompts) output.blank()
    const line = await readCommand(opened, batch.prompts ? topPrompt(opened) : '')
    if (line === null) break
    if (line === INTERRUPTED) {
      status = 1
      break
    }
    if (line.trim() === '') continue
    if (batch.prompts) output.write('\n')
    else output.blank()
    const outcome = await runLine(opened, line, batch.keepGoing)
    if (outcome === 'done') continue
    status = 1
    if (outcome === 'end-of-input') {
      session.terminal.notice?.('The input ended inside a dialogue; the dialogue was abandoned.')
      break
    }
    if (outcome === 'interrupted' || !batch.keepGoing) {
      stopped()
      break
    }
  }
  if (session.draft.dirty)
    session.terminal.notice?.('Warning: the input ended with changes that were not committed; they are lost.')
  return status
}

const INTERRUPTED = Symbol('interrupted')

const readCommand = async (opened: OpenSession, prompt: string): Promise<string | null | typeof INTERRUPTED> => {
  const { session, output } = opened
  try {
    const line = await session.terminal.readLine(prompt, {
      history: 'commands',
      complete: (text) => completeLine(session, text),
    })
    // With -c nothing stands on the screen for the command itself.
    if (prompt !== '') output.lineRead()
    if (line !== null && line.trim() !== '') opened.entered(maskSecrets(line), `\n${topPrompt(opened)}`)
    return line
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    output.lineRead()
    return INTERRUPTED
  }
}

/** One line of commands; the first that fails ends it, unless the operator said to go on. */
const runLine = async (opened: OpenSession, line: string, keepGoing = false): Promise<CommandOutcome> => {
  let outcome: CommandOutcome = 'done'
  try {
    const commands = splitCommands(line)
    for (const [i, words] of commands.entries()) {
      if (i > 0) opened.output.blank()
      const one = await runOne(opened, words)
      if (one !== 'done') outcome = one
      if (opened.left()) break
      if (one === 'done' || (one === 'failed' && keepGoing)) continue
      const { terminal } = opened.session
      if (terminal.batch?.position() === null && i < commands.length - 1)
        terminal.notice?.(`Stopped at command ${i + 1}; what follows was not run.`)
      break
    }
    return outcome
  } catch (error) {
    return report(opened, error)
  }
}

const runOne = async (opened: OpenSession, words: readonly string[]): Promise<CommandOutcome> => {
  let outcome: CommandOutcome = 'done'
  try {
    // What others committed since shows now; what this session staged stays.
    opened.session.draft.refresh?.()
    await runCommand(opened.session, words)
  } catch (error) {
    outcome = report(opened, error)
  }
  opened.ran(words, outcome)
  return outcome
}

const report = ({ session, output }: OpenSession, error: unknown): CommandOutcome => {
  if (error instanceof Interrupted) return 'interrupted'
  if (error instanceof EndOfInput) return 'end-of-input'
  if (error instanceof UserError) {
    output.print(...error.message.split('\n'))
    return 'failed'
  }
  const { env, events } = session.appliance
  const reference = uuid(env.entropy).slice(0, 8)
  const code = error instanceof Fault ? error.code : 'INTERNAL'
  events.publish({ type: 'system.fault', code, where: 'shell', error: errorText(error), reference })
  // A Fault's text is ours and made for operators; anything else may hold what no terminal should show.
  output.print(
    error instanceof Fault
      ? `${error.message} (${code}, reference ${reference})`
      : `The command failed because of an internal error. The system log has the reference ${reference}.`,
  )
  return 'failed'
}

/** Ctrl-D: asks when there is something to lose. A second Ctrl-D, or a terminal that has gone, leaves. */
const leaves = async (opened: OpenSession): Promise<boolean> => {
  try {
    return await confirmLeave(opened.session)
  } catch (error) {
    if (error instanceof Interrupted) return false
    if (error instanceof EndOfInput) return true
    throw error
  }
}
