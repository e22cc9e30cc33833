import { monitorEventLoopDelay } from 'node:perf_hooks'
import { machineParts } from '../../src/main/machine.ts'
import { buildAppliance } from '../../src/main/appliance.ts'
import type { Resolver } from '../../src/core/resolver.ts'
import type { LoopDelay } from './contenders.ts'

/**
 * The appliance of `lychgate serve`: `gateway.ts HOME`. No name exists: what is measured is the gateway's work, not the
 * network's answers. Whoever asks over IPC hears how late its event loop was since the last time.
 */
const [home] = process.argv.slice(2)
if (home === undefined) throw new Error('usage: gateway.ts HOME')

const notFound = async (): Promise<never> => {
  throw Object.assign(new Error('queryTxt ENOTFOUND'), { code: 'ENOTFOUND' })
}
const resolver: Resolver = { resolve: notFound, reverse: notFound }

const running = await buildAppliance({ home, env: machineParts().env, resolver, services: true, writer: 'worker' })

/** The timer's own period is part of what the histogram shows. */
const PERIOD_MS = 5
const delay = monitorEventLoopDelay({ resolution: PERIOD_MS })
delay.enable()
const late = (ns: number): number => Math.max(0, ns / 1e6 - PERIOD_MS)
process.on('message', () => {
  process.send?.({ p99Ms: late(delay.percentile(99)), maxMs: late(delay.max) } satisfies LoopDelay)
  delay.reset()
})
process.channel?.unref()
process.once('SIGTERM', () => void running.stop(1000).then(() => process.exit(0)))
