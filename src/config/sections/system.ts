import * as v from 'valibot'
import { isHostname } from '../../core/schema.ts'
import { defineSection } from '../section.ts'

/** `sethostname`, `settz`. */
export const system = defineSection({
  name: 'system',
  version: 1,
  schema: v.object({
    hostname: v.pipe(v.string(), v.check(isHostname, 'not a host name')),
    /** A name of the tz database: `America/New_York`, `Etc/GMT`. */
    timezone: v.string(),
  }),
  defaults: { hostname: 'lychgate.example.com', timezone: 'Etc/GMT' },
})
