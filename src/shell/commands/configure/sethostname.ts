import { system } from '../../../config/sections/system.ts'
import { hostname } from '../../../core/schema.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

const USAGE = 'sethostname NAME'

const stage = ({ draft }: Session, name: string): void => draft.set(system, { ...draft.get(system), hostname: name })

export default defineCommand({
  name: 'sethostname',
  summary: 'Set the name of the appliance',
  description:
    'Sets the host name that the appliance gives in SMTP, in Received headers and in the prompt. It changes with the commit.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    wordForm(USAGE, [], 1, (session, [word = '']) => {
      const name = readValue(hostname, word)
      stage(session, name)
    }),
  ],
  run: async (session) => stage(session, await session.ask.field('', hostname, session.draft.get(system).hostname)),
})
