import { defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { GRACE_QUESTION, GRACE_SECONDS, graceField } from '../../queue.ts'
import { readForm } from '../../options.ts'
import { askListeners, graceOf, listenerNames, listenersOf, suspendReceiving } from '../../suspension.ts'

const suspend = async (session: Session, names: readonly string[], seconds: number): Promise<void> => {
  await suspendReceiving(session, names, seconds)
  session.print('Receiving suspended.')
}

const USAGE = 'suspendlistener NAME...|all [--seconds=SECONDS]'

export default defineCommand({
  name: 'suspendlistener',
  summary: 'Suspend receiving on listeners',
  description:
    'Stops receiving on some listeners or all, at once. Their connections get the given time (30 seconds) to end by ' +
    'themselves; clients are answered 421 until "resumelistener". The state stays over a restart.',
  options: { '--seconds=SECONDS': 'how long what is under way may take to end by itself' },
  category: 'system',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE, args, { min: 1, max: 1000, values: ['seconds'] })
        const names = listenersOf(USAGE, words, listenerNames(session))
        await suspend(session, names, graceOf(options['seconds'] ?? String(GRACE_SECONDS)))
      },
    },
  ],
  run: async (session) => {
    const names = await askListeners(session, 'Choose the listener(s) you wish to suspend.', listenerNames(session))
    await suspend(session, names, await session.ask.field(GRACE_QUESTION, graceField, GRACE_SECONDS))
  },
  complete: (session) => ['all', ...listenerNames(session)],
})
