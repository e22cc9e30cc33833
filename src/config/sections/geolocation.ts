import * as v from 'valibot'
import { defineSection } from '../section.ts'

/** `geolocationconfig`. */
export const geolocation = defineSection({
  name: 'geolocation',
  version: 1,
  schema: v.object({
    /** Country database (MaxMind DB) in `<home>/configuration`; '' = none, and no client has a country. */
    file: v.pipe(v.string(), v.regex(/^(?:[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199})?$/)),
  }),
  defaults: { file: '' },
})
