import { system } from '../../../config/sections/system.ts'
import { UserError } from '../../../core/errors.ts'
import { hostname } from '../../../core/schema.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm } from '../../options.ts'

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
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const [word = ''] = readForm(USAGE, args, { min: 1, max: 1 }).words
        const name = hostname.parse(word)
        if (!name.ok) throw new UserError(name.error)
        stage(session, name.value)
      },
    },
  ],
  run: async (session) => stage(session, await session.ask.field('', hostname, session.draft.get(system).hostname)),
})
