import * as v from 'valibot'
import { defineSection } from '../section.ts'

/** `urlretroservice`. Times and sizes as in reference/url-retrospective-verdict.txt: every 2 minutes for 168 hours. */
export const urlRetrospection = defineSection({
  name: 'url_retrospection',
  version: 2,
  schema: v.object({
    enabled: v.boolean(),
    /** Also URLs that had a score are watched (ours; the reference watches those without one). */
    watchScored: v.boolean(),
    pollSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)),
    watchHours: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2160)),
    /** Each query asks again for this much of the past; answers already acted on are told apart by id. */
    lookBackSeconds: v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(86_400)),
    pageSize: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  }),
  defaults: {
    enabled: false,
    watchScored: false,
    pollSeconds: 120,
    watchHours: 168,
    lookBackSeconds: 3600,
    pageSize: 10,
  },
  migrations: { 1: (old) => ({ watchScored: false, ...(old as object) }) },
})
