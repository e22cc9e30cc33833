import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { repeated } from '../unique.ts'

export const alias = v.object({
  /** Domain context: the alias is `alias@domain`. null = global: `alias` is a whole address, `@domain`, or a user part in every domain. */
  domain: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
  alias: v.pipe(v.string(), v.minLength(1), v.maxLength(254)),
  /** Addresses, or `/dev/null`. */
  addresses: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(254))), v.minLength(1)),
})
export type Alias = v.InferOutput<typeof alias>

/** `aliasconfig`: envelope recipients that are replaced before delivery. */
export const aliases = defineSection<Alias[]>({
  name: 'aliases',
  version: 1,
  schema: v.array(alias),
  defaults: [],
  verify: (all) => {
    const keys = all.map((a) => `${a.alias} in ${a.domain ?? 'the global context'}`.toLowerCase())
    return repeated(keys).map((key): Issue => ({
      path: `aliases.${key}`,
      message: `The alias ${key} is there twice.`,
      severity: 'error',
    }))
  },
})
