import { defineCommand } from '../../command.ts'
import { readForm } from '../../options.ts'
import { GRACE_QUESTION, GRACE_SECONDS, graceField } from '../../queue.ts'
import { domainsField, domainsOf, graceOf, suspendDelivery } from '../../suspension.ts'

const USAGE = 'suspenddel DOMAIN[,DOMAIN...]|all [--seconds=SECONDS]'

export default defineCommand({
  name: 'suspenddel',
  summary: 'Suspend delivery',
  description:
    'Stops delivery to some domains or to all, at once. Deliveries under way get the given time (30 seconds) to end by ' +
    'themselves; what they do not finish stays queued. Mail that grows too old meanwhile is given up all the same. ' +
    'The state stays over a restart, until "resumedel".',
  options: { '--seconds=SECONDS': 'how long what is under way may take to end by itself' },
  category: 'system',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE, args, { min: 1, max: 1, values: ['seconds'] })
        const domains = domainsOf(words[0] ?? '')
        await suspendDelivery(session, domains, graceOf(options['seconds'] ?? String(GRACE_SECONDS)))
      },
    },
  ],
  run: async (session) => {
    const seconds = await session.ask.field(GRACE_QUESTION, graceField, GRACE_SECONDS)
    const domains = await session.ask.field(
      'Enter one or more domains [comma-separated] to which you want to suspend delivery.',
      domainsField,
      [''],
    )
    await suspendDelivery(session, domains, seconds)
  },
})
