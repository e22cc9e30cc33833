import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { urlLists } from './url-lists.ts'

export const MAR_ACTIONS = ['delete', 'forward_and_delete', 'forward'] as const
export type MarAction = (typeof MAR_ACTIONS)[number]

/** `websecurityconfig`. `mar` is the Mailbox Auto Remediation by URL retrospection. */
export const urlFiltering = defineSection({
  name: 'url_filtering',
  version: 2,
  schema: v.object({
    enabled: v.boolean(),
    /** Name of a URL list whose URLs are never looked up, or null. */
    allowedList: v.nullable(v.string()),
    webInteractionTracking: v.boolean(),
    lookupTimeoutSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(120)),
    maxUrlsInBody: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
    maxUrlsInAttachments: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
    /** Defang and replace change the visible URL text as well as the href. */
    rewriteTextAndHref: v.boolean(),
    /** Asks known shorteners where a short link leads, over so many of them at most. */
    expandShortened: v.boolean(),
    maxShortenedDepth: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)),
    marEnabled: v.boolean(),
    marAction: v.picklist(MAR_ACTIONS),
    /** Where Forward sends the message; required by both forwarding actions. */
    marForwardTo: v.nullable(v.string()),
  }),
  defaults: {
    enabled: true,
    allowedList: null,
    webInteractionTracking: true,
    lookupTimeoutSeconds: 15,
    maxUrlsInBody: 100,
    maxUrlsInAttachments: 25,
    rewriteTextAndHref: true,
    expandShortened: false,
    maxShortenedDepth: 10,
    marEnabled: false,
    marAction: 'delete',
    marForwardTo: null,
  },
  migrations: { 1: (old) => ({ ...(old as object), expandShortened: false, maxShortenedDepth: 10 }) },
  verify: (value, whole) => {
    const issues: Issue[] = []
    if (value.allowedList !== null && !whole.get(urlLists).some((l) => l.name === value.allowedList))
      issues.push({
        path: 'url_filtering.allowedList',
        message: `URL list '${value.allowedList}' does not exist. Create it with urllistconfig.`,
        severity: 'error',
      })
    if (value.marEnabled && value.marAction !== 'delete' && value.marForwardTo === null)
      issues.push({
        path: 'url_filtering.marForwardTo',
        message: 'The Mailbox Auto Remediation action needs an address to forward to. Set it with websecurityconfig.',
        severity: 'error',
      })
    return issues
  },
})
