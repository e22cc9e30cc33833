import { dns as section } from '../config/sections/dns.ts'
import type { DnsSettings } from '../config/sections/dns.ts'
import type { ConfigStore } from '../config/store.ts'
import { cachedResolver } from '../core/resolver-cache.ts'
import type { CachedResolver } from '../core/resolver-cache.ts'
import type { ApplianceOptions } from './options.ts'

/** The resolver of the whole mail path: the machine's or a test's behind a cache, told of `dnsconfig`. */
export const openDns = (config: ConfigStore, { env, resolver }: ApplianceOptions): CachedResolver => {
  const cached = cachedResolver({
    upstream: resolver,
    clock: env.clock,
    minTtlMs: () => config.running.get(section).minTtlSeconds * 1000,
  })
  const use = (settings: DnsSettings): void => {
    resolver.configure?.(settings)
    cached.flush()
  }
  use(config.running.get(section))
  config.consume({
    section,
    apply: async (next) => {
      await Promise.resolve()
      use(next)
    },
  })
  return cached
}
