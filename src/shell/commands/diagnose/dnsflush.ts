import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { wordForm } from '../../options.ts'

const flush = ({ appliance, print }: Session): void => {
  const answers = appliance.dns.flush()
  print(`The DNS cache has been cleared (${answers} ${answers === 1 ? 'answer' : 'answers'}).`)
}

export default defineCommand({
  name: 'dnsflush',
  summary: 'Clear the cache of DNS answers',
  description: 'Forgets the cached answers of DNS: every name is asked again when it comes next. Acts at once.',
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    if (await session.ask.confirm('Are you sure you want to clear out the DNS cache?', false)) flush(session)
  },
  forms: [
    wordForm('dnsflush yes', ['yes'], 0, async (session) => {
      await Promise.resolve()
      flush(session)
    }),
  ],
})
