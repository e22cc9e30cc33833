import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { interfaces, isSource } from './interfaces.ts'

const alternateSource = v.object({
  /** `user@example.com`, `@example.com`, or the address of a client. */
  match: v.pipe(v.string(), v.minLength(2), v.maxLength(254)),
  /** What the mail goes out from: an address of this machine, an interface, or a group of interfaces. */
  address: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
})
export type AlternateSource = v.InferOutput<typeof alternateSource>

/** `altsrchost`: mail that leaves from an address of its own. */
export const alternateSources = defineSection<AlternateSource[]>({
  name: 'alternate_sources',
  version: 1,
  schema: v.array(alternateSource),
  defaults: [],
  verify: (all, whole) =>
    all.flatMap(({ match, address }, i): readonly Issue[] => {
      const error = (message: string): Issue => ({ path: `alternate_sources.${match}`, message, severity: 'error' })
      if (all.findIndex((o) => o.match.toLowerCase() === match.toLowerCase()) < i)
        return [error(`There are two mappings for ${match}.`)]
      if (isSource(whole.get(interfaces), address)) return []
      return [error(`The mapping for ${match} names the interface '${address}', which does not exist.`)]
    }),
})
