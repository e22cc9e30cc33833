import * as v from 'valibot'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const messageFilter = v.object({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_-]*$/), v.maxLength(255)),
  active: v.boolean(),
  /** The filter's text from `if` on, as it prints in `filters > DETAIL`; parsed again when it is used. */
  script: v.pipe(v.string(), v.maxLength(65_536)),
})
export type MessageFilter = v.InferOutput<typeof messageFilter>

/** `filters`: the ordered list of message filters. */
export const messageFilters = defineSection<MessageFilter[]>({
  name: 'message_filters',
  version: 1,
  schema: v.array(messageFilter),
  defaults: [],
  verify: (filters) => uniqueNames('message_filters', filters),
})
