import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm } from '../../options.ts'

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
    {
      usage: 'dnsflush yes',
      words: ['yes'],
      run: async (session, args) => {
        readForm('dnsflush yes', args, { min: 0, max: 0 })
        await Promise.resolve()
        flush(session)
      },
    },
  ],
})
