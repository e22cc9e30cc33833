import { integer } from '../core/schema.ts'
import type { ProgramName, ProgramWish } from '../services/diagnostics.ts'
import { OPERATORS, defineCommand } from './command.ts'
import type { Command, Session } from './command.ts'
import { readForm, readValue } from './options.ts'
import { askSource, interruptible, remoteHost, sourceNamed } from './remote.ts'

export interface ProgramCommand {
  readonly name: ProgramName
  readonly summary: string
  readonly description: string
  readonly from: string
  readonly to: string
  /** How often it asks when nobody is there to stop it; absent = it ends by itself. */
  readonly unattended?: number
}

/** A command that runs a program of the system until it ends or Ctrl-C, and shows its lines. */
export const programCommand = (own: ProgramCommand): Command => {
  const counted = own.unattended !== undefined
  const usage = counted ? `${own.name} [-c COUNT] [--interface=NAME] HOST` : `${own.name} [--interface=NAME] HOST`
  const run = async (session: Session, wish: ProgramWish): Promise<void> => {
    await interruptible(session, async (signal) => {
      const lines = session.appliance.diagnostics.run(own.name, wish, signal)
      session.print('Press Ctrl-C to stop.')
      for await (const line of lines) {
        session.print(line)
        await session.terminal.drained?.()
      }
    })
  }
  return defineCommand({
    name: own.name,
    summary: own.summary,
    description: own.description,
    options: {
      ...(counted ? { '-c COUNT': 'so many, then stop' } : {}),
      '--interface=NAME': 'the interface to send from',
    },
    category: 'diagnose',
    roles: OPERATORS,
    needsCommit: false,
    run: async (session) => {
      const source = await askSource(session, own.from)
      const host = await session.ask.field(own.to, remoteHost)
      const count = session.terminal.batch === undefined ? null : (own.unattended ?? null)
      await run(session, { host, count, source })
    },
    forms: [
      {
        usage,
        words: [],
        run: async (session, args) => {
          const { words, options } = readForm(usage, args, {
            min: 1,
            max: 1,
            values: [...(counted ? ['c'] : []), 'interface'],
          })
          const unattended = session.terminal.interactive ? null : (own.unattended ?? null)
          const count = options['c'] === undefined ? unattended : readValue(integer(1, 100_000), options['c'])
          const host = readValue(remoteHost, words[0] ?? '')
          await run(session, { host, count, source: sourceNamed(session, options['interface']) })
        },
      },
    ],
  })
}
