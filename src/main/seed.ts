import type { ConfigSection } from '../config/section.ts'
import { defaultListener, listeners } from '../config/sections/listeners.ts'
import { system } from '../config/sections/system.ts'
import type { ApplianceOptions } from './options.ts'

type Set = <T>(section: ConfigSection<T>, value: T) => void

/** What `--hostname`, `--smtp` and `--accept` make of a fresh home's defaults. */
export const seeding =
  (seed: ApplianceOptions['seed'] = {}): ((set: Set) => void) =>
  (set) => {
    if (seed.hostname !== undefined) set(system, { ...system.defaults, hostname: seed.hostname })
    set(listeners, [
      {
        ...defaultListener,
        ...(seed.smtp ? { address: seed.smtp.address, port: seed.smtp.port } : {}),
        ...(seed.accept && seed.accept.length > 0 ? { acceptDomains: [...seed.accept] } : {}),
      },
    ])
  }
