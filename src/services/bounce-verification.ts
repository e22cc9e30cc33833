import { bounceVerification } from '../config/sections/bounce-verification.ts'
import { destinations } from '../config/sections/destinations.ts'
import { listeners } from '../config/sections/listeners.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import { splitAddress } from '../core/mailbox-path.ts'
import { termsFor } from '../mail/delivery/terms.ts'
import { servesDomain } from '../mail/smtp/access.ts'
import { isTaggable, isTagged, openTag, tagAddress } from '../mail/smtp/bounce-tag.ts'
import type { QueuedRecipient, SpoolEntry } from '../store/spool.ts'

interface Deps {
  readonly env: Env
  readonly config: ConfigReader
}

/** Our listeners take its mail, so its bounces come back to us. */
const isOurs = ({ config }: Deps, address: string): boolean =>
  config.get(listeners).some((l) => servesDomain(l, splitAddress(address).domain))

/**
 * The sender as the next hop hears it; the recipients are of one destination, whose entry in destconfig goes before
 * bvconfig. Tagged is what leaves us for others in the name of a domain of ours; the spool and
 * our own notices keep the sender as it is.
 */
export const returnPath = (deps: Deps, entry: SpoolEntry, rows: readonly QueuedRecipient[]): string => {
  const { sender, direction } = entry
  const { tagOutgoing, keys } = deps.config.get(bounceVerification)
  const key = keys.at(-1)
  const wanted = termsFor(rows[0]?.domain ?? '', deps.config.get(destinations)).bounceVerification ?? tagOutgoing
  if (!wanted || !key || direction !== 'outgoing' || !isTaggable(sender)) return sender
  const leaves = isOurs(deps, sender) && !rows.some((r) => isOurs(deps, r.address))
  return leaves ? tagAddress(sender, key, deps.env.clock.now()) : sender
}

/** A recipient without the tag that we gave it, and whether a bounce to it can be an answer to mail of ours. */
export const bounceRecipient = (
  deps: Deps,
  recipient: string,
): { readonly address: string; readonly believed: boolean } => {
  const { untagged, keys } = deps.config.get(bounceVerification)
  const address = keys.length === 0 ? null : openTag(recipient, keys, deps.env.clock.now())
  if (address !== null) return { address, believed: true }
  const needsTag = untagged === 'reject' && isOurs(deps, recipient) && (isTagged(recipient) || isTaggable(recipient))
  return { address: recipient, believed: !needsTag }
}
