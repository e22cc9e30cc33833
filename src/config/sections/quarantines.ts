import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const quarantine = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  retentionHours: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(87_600)),
  /** What happens when the retention ends. */
  defaultAction: v.picklist(['delete', 'release']),
})
export type Quarantine = v.InferOutput<typeof quarantine>

/** System quarantines; `Policy` always exists (10 days, then Delete, as on AsyncOS). */
export const quarantines = defineSection<Quarantine[]>({
  name: 'quarantines',
  version: 1,
  schema: v.array(quarantine),
  defaults: [{ name: 'Policy', retentionHours: 240, defaultAction: 'delete' }],
  verify: (all) => [
    ...uniqueNames('quarantines', all),
    ...(all.some((q) => q.name === 'Policy')
      ? []
      : [
          {
            path: 'quarantines.Policy',
            message: "The quarantine 'Policy' cannot be removed.",
            severity: 'error' as const,
          },
        ]),
  ],
})
