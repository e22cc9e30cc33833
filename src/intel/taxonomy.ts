import type { ThreatLevel } from '../events/levels.ts'

/**
 * Our own map of ids, served under `/v1/taxonomy` (docs/intelligence/api.md). Only two ids are known from the reference
 * document and kept: threat level 6 = unknown, and taxonomy 4, entry 3, tag type 1 = a URL that turned malicious.
 */
export const TAXONOMY_VERSION = 1

export const LEVEL_IDS: Readonly<Record<ThreatLevel, number>> = {
  untrusted: 1,
  questionable: 2,
  neutral: 3,
  favorable: 4,
  trusted: 5,
  unknown: 6,
}

export const MALICIOUS = { taxonomy_id: 4, taxonomy_entry_id: 3, tag_type_id: 1 } as const
/** Ours: what had turned malicious is so no longer. A gateway offers to undo what it did because of it. */
export const WITHDRAWN = { taxonomy_id: 4, taxonomy_entry_id: 1, tag_type_id: 1 } as const

const entry = (text: string) => ({ name: { 'en-us': { text } } })

export const TAXONOMY = {
  version: TAXONOMY_VERSION,
  catalogs: {
    '2': {
      taxonomies: {
        '1': {
          is_avail: true,
          name: { 'en-us': { text: 'Threat Levels' } },
          entries: Object.fromEntries(
            Object.entries(LEVEL_IDS).map(([level, id]) => [
              String(id),
              entry(level.charAt(0).toUpperCase() + level.slice(1)),
            ]),
          ),
        },
        '4': {
          is_avail: true,
          name: { 'en-us': { text: 'Retrospective Verdicts' } },
          entries: {
            [WITHDRAWN.taxonomy_entry_id]: entry('Withdrawn'),
            [MALICIOUS.taxonomy_entry_id]: entry('Malicious'),
          },
        },
      },
    },
  },
} as const
