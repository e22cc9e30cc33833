import { machineParts } from '../../src/main/machine.ts'
import { buildAppliance } from '../../src/main/appliance.ts'
import type { Resolver } from '../../src/core/resolver.ts'

/**
 * The appliance of `lychgate serve`, with a store that may leave out the sync: `gateway.ts HOME durable|unsynced`.
 * No name exists: what is measured is the gateway's work, not the network's answers.
 */
const [home, mode] = process.argv.slice(2)
if (home === undefined) throw new Error('usage: gateway.ts HOME durable|unsynced')

const notFound = async (): Promise<never> => {
  throw Object.assign(new Error('queryTxt ENOTFOUND'), { code: 'ENOTFOUND' })
}
const resolver: Resolver = { resolve: notFound, reverse: notFound }

const running = await buildAppliance({
  home,
  env: machineParts().env,
  resolver,
  services: true,
  writer: 'worker',
  durable: mode !== 'unsynced',
})
process.once('SIGTERM', () => void running.stop(1000).then(() => process.exit(0)))
