import { OPERATORS, defineCommand } from '../../command.ts'

export default defineCommand({
  name: 'resetcounters',
  summary: 'Let the counters of status begin at 0',
  description: 'Begins the column Reset of "status" at 0. The columns Uptime and Lifetime go on.',
  category: 'system',
  roles: OPERATORS,
  needsCommit: false,
  run: async ({ appliance: { counters, time, env }, print }) => {
    counters.reset()
    print(`Counters reset: ${time.stampZone(counters.lastReset ?? env.clock.now())}`)
  },
})
