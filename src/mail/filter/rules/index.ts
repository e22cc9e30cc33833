import { authenticationRules } from './authentication.ts'
import { contentRules } from './content.ts'
import { envelopeRules } from './envelope.ts'
import { messageRules } from './message.ts'
import type { Rule } from './rule.ts'
import { sdrRules } from './sdr.ts'
import { urlRules } from './url.ts'

/** Every rule of the language. A name that is not here is an error where it stands in the script. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  [messageRules, envelopeRules, contentRules, authenticationRules, sdrRules, urlRules].flatMap((t) =>
    Object.entries(t),
  ),
)
