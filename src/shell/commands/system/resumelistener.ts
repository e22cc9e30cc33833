import { defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { askListeners, listenersOf } from '../../suspension.ts'

const suspended = ({ appliance }: Session): readonly string[] =>
  appliance.traffic.suspended('receiving').map((s) => s.name)

const resume = async ({ appliance, user, print }: Session, names: readonly string[]): Promise<void> => {
  if (names.length === 0) return print('No listener is suspended.')
  await appliance.traffic.resumeReceiving(names, user.name)
  print('Receiving resumed.')
}

const USAGE = 'resumelistener NAME...|all'

export default defineCommand({
  name: 'resumelistener',
  summary: 'Resume receiving on listeners',
  description: 'Resumes receiving on listeners that were suspended, at once.',
  category: 'system',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, words) => resume(session, listenersOf(USAGE, words, suspended(session))),
    },
  ],
  run: async (session) => {
    const names = suspended(session)
    const question = 'Choose the listener(s) you wish to resume.'
    await resume(session, names.length === 0 ? [] : await askListeners(session, question, names))
  },
  complete: (session) => ['all', ...suspended(session)],
})
