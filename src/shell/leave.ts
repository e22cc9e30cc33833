import type { Session } from './command.ts'

/** Whether the session may end: with staged changes the operator is asked first, where there is somebody to ask. */
export const confirmLeave = async (session: Session): Promise<boolean> => {
  if (!session.draft.dirty || session.terminal.batch !== undefined) return true
  session.print(
    'Configuration changes entered but not committed.  Exiting will lose changes.',
    "Type 'commit' at the command prompt to commit changes.",
  )
  return session.ask.confirm('Are you sure you wish to exit?', false)
}
