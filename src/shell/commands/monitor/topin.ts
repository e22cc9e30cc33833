import { printableCut } from '../../../core/text.ts'
import { READERS, defineCommand } from '../../command.ts'

const SHOWN = 20

export default defineCommand({
  name: 'topin',
  summary: 'Show the remote hosts with the most connections',
  description: 'Shows the 20 remote hosts that have the most connections to a listener at this moment.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  run: async ({ appliance, page }) => {
    const { time, env, inbound } = appliance
    await page([
      `Status as of:                  ${time.stampZone(env.clock.now())}`,
      ` #  ${'Remote hostname'.padEnd(25)}${'Remote IP addr.'.padEnd(17)}${'listener'.padEnd(14)}Conn. In`,
      ...inbound
        .top(SHOWN)
        .map(
          (host, i) =>
            `${String(i + 1).padStart(2)}  ${printableCut(host.reverseHost ?? 'unknown', 80).padEnd(24)} ` +
            `${host.remoteAddress.padEnd(16)} ${printableCut(host.listener, 40).padEnd(13)} ${String(host.connections).padStart(8)}`,
        ),
    ])
  },
})
