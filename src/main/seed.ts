import type { ConfigSection } from '../config/section.ts'
import { acceptEntry, defaultListener, listeners } from '../config/sections/listeners.ts'
import { ssh } from '../config/sections/ssh.ts'
import { system } from '../config/sections/system.ts'
import { users } from '../config/sections/users.ts'
import type { User } from '../config/sections/users.ts'
import type { ApplianceOptions } from './options.ts'

type Set = <T>(section: ConfigSection<T>, value: T) => void

/** What `--hostname`, `--smtp`, `--accept` and `--ssh` make of a fresh home's defaults. */
export const seeding =
  (seed: ApplianceOptions['seed'] = {}, administrator: User | null = null): ((set: Set) => void) =>
  (set) => {
    if (seed.hostname !== undefined) set(system, { ...system.defaults, hostname: seed.hostname })
    if (administrator !== null) set(users, { ...users.defaults, accounts: [administrator] })
    if (seed.ssh) set(ssh, { ...ssh.defaults, enabled: true, ...seed.ssh })
    set(listeners, [
      {
        ...defaultListener,
        ...(seed.smtp ? { address: seed.smtp.address, port: seed.smtp.port } : {}),
        ...(seed.accept && seed.accept.length > 0 ? { recipientAccess: seed.accept.map(acceptEntry) } : {}),
      },
    ])
  }
