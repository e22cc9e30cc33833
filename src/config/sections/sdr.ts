import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { addressLists } from './address-lists.ts'

/** `sdrconfig`. Vocabulary: `threat_level` logs two passes in the 14.2 words, `reputation` one pass in the 12.0 words. */
export const sdr = defineSection({
  name: 'sender_domain_reputation',
  version: 1,
  schema: v.object({
    enabled: v.boolean(),
    /** Include Additional Attributes: user parts and display names of From and Reply-To are submitted too. */
    additionalAttributes: v.boolean(),
    /** Sender Domain Reputation Query Timeout: default 2, 1–10 (reference/sender-domain-reputation.txt). */
    timeoutSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)),
    /** Match the domain exception list on the Envelope From domain only; else on any of the submitted domains. */
    exceptionMatchEnvelopeOnly: v.boolean(),
    /** Global domain exception list: name of an address list of domains, or null. */
    exceptionList: v.nullable(v.string()),
    vocabulary: v.picklist(['threat_level', 'reputation']),
  }),
  defaults: {
    enabled: true,
    additionalAttributes: false,
    timeoutSeconds: 2,
    exceptionMatchEnvelopeOnly: true,
    exceptionList: null,
    vocabulary: 'threat_level',
  },
  verify: (value, whole) => {
    const name = value.exceptionList
    if (name === null) return []
    const found = whole.get(addressLists).find((l) => l.name === name)
    const issue = (message: string): readonly Issue[] => [
      { path: 'sender_domain_reputation.exceptionList', message, severity: 'error' },
    ]
    if (!found) return issue(`Address list '${name}' does not exist. Create it with addresslistconfig.`)
    return found.type === 'domains' ? [] : issue(`Address list '${name}' is not of the type Domains only.`)
  },
})
