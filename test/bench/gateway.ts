import { buildAppliance } from '../../src/main/appliance.ts'
import { machineParts } from '../../src/main/machine.ts'

/** The appliance of `lychgate serve`, with a store that may leave out the sync: `gateway.ts HOME durable|unsynced`. */
const [home, mode] = process.argv.slice(2)
if (home === undefined) throw new Error('usage: gateway.ts HOME durable|unsynced')

const running = await buildAppliance({
  home,
  ...machineParts(),
  services: true,
  writer: 'worker',
  durable: mode !== 'unsynced',
})
process.once('SIGTERM', () => void running.stop(1000).then(() => process.exit(0)))
