import { decodeDocument } from './codec.ts'
import type { Decoded } from './codec.ts'
import { defaultDocument } from './document.ts'
import type { AnySection } from './document.ts'
import type { RevisionStore } from './revisions.ts'
import type { SecretBox } from './secrets.ts'

/** How many revisions are tried, newest first, before the defaults are used. */
const FALLBACK_REVISIONS = 50

export interface Start {
  readonly decoded: Decoded
  /** The revision that runs; 0 = the defaults. */
  readonly revision: number
  readonly newest: number
  readonly warnings: readonly string[]
}

/** The newest revision that this release can read; a broken one is passed over with a warning. */
export const loadNewest = (sections: readonly AnySection[], revisions: RevisionStore, secrets: SecretBox): Start => {
  const records = revisions.list(FALLBACK_REVISIONS, false)
  const newest = records[0]?.number ?? 0
  const warnings: string[] = []
  for (const { number } of records) {
    const decoded = decodeDocument(sections, revisions.read(number)?.document ?? null, secrets)
    if (decoded.ok) {
      const passedOver = number === newest ? [] : [`Configuration revision ${number} is running instead.`]
      return {
        decoded: decoded.value,
        revision: number,
        newest,
        warnings: [...warnings, ...passedOver, ...decoded.value.warnings],
      }
    }
    warnings.push(`Configuration revision ${number} cannot be used: ${decoded.error}.`)
  }
  if (newest > 0) warnings.push('No configuration revision can be used; the default configuration is running instead.')
  return { decoded: { document: defaultDocument(sections), foreign: {}, warnings: [] }, revision: 0, newest, warnings }
}
