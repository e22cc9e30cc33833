import * as v from 'valibot'
import { isIP } from 'node:net'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'

const alternateSource = v.object({
  /** `user@example.com`, `@example.com`, or the address of a client. */
  match: v.pipe(v.string(), v.minLength(2), v.maxLength(254)),
  /** The address of this machine that the mail goes out from. */
  address: v.pipe(
    v.string(),
    v.check((a) => isIP(a) !== 0, 'not an IP address'),
  ),
})
export type AlternateSource = v.InferOutput<typeof alternateSource>

/** `altsrchost`: mail that leaves from an address of its own. */
export const alternateSources = defineSection<AlternateSource[]>({
  name: 'alternate_sources',
  version: 1,
  schema: v.array(alternateSource),
  defaults: [],
  verify: (all) =>
    all.flatMap(({ match }, i): readonly Issue[] =>
      all.findIndex((o) => o.match.toLowerCase() === match.toLowerCase()) < i
        ? [{ path: `alternate_sources.${match}`, message: `There are two mappings for ${match}.`, severity: 'error' }]
        : [],
    ),
})
