import { dkimSigning } from '../../config/sections/dkim-signing.ts'
import type { SigningKey, SigningProfile } from '../../config/sections/dkim-signing.ts'
import type { ConfigReader } from '../../config/section.ts'
import type { Clock } from '../../core/clock.ts'
import { errorText } from '../../core/errors.ts'
import { createLru } from '../../core/lru.ts'
import type { EventBus } from '../../events/bus.ts'
import type { SpoolEntry } from '../../store/spool.ts'
import { readAddresses } from '../message/addresses.ts'
import { fieldNamed } from '../message/part-text.ts'

/** Signs mail as it leaves. The answer is a DKIM-Signature field with its line end, or '' when the message goes unsigned. */
export interface DkimSigner {
  sign(entry: Pick<SpoolEntry, 'mid' | 'direction' | 'icid'>, message: Buffer): Promise<string>
}

const KEPT = 1000
const KEEP_MS = 3_600_000
const covers = (entry: string, address: string): boolean => {
  const user = entry.toLowerCase()
  if (user.includes('@')) return user === address
  const domain = address.slice(address.lastIndexOf('@') + 1)
  return user.startsWith('.') ? domain.endsWith(user) : domain === user
}

/** The first profile whose users take the address; without users, one of the address's own domain. */
export const profileFor = (address: string, profiles: readonly SigningProfile[]): SigningProfile | undefined => {
  const known = address.toLowerCase()
  return profiles.find((p) => (p.users.length === 0 ? covers(p.domain, known) : p.users.some((u) => covers(u, known))))
}

const signature = async (profile: SigningProfile, key: SigningKey, message: Buffer, at: Date): Promise<string> => {
  const { dkimSign } = await import('mailauth/lib/dkim/sign.js')
  const what = { signingDomain: profile.domain, selector: profile.selector, privateKey: key.privateKey }
  const answer = await dkimSign(message, {
    ...what,
    canonicalization: `${profile.headerCanonicalization}/${profile.bodyCanonicalization}`,
    algorithm: key.type === 'ed25519' ? 'ed25519-sha256' : 'rsa-sha256',
    signTime: at,
    ...(profile.expirationSeconds === null
      ? {}
      : { expires: new Date(at.getTime() + profile.expirationSeconds * 1000) }),
    signatureData: [what],
  })
  const [failed] = answer.errors
  // The library wraps what went wrong with the names of the signature.
  if (failed) throw (failed as { readonly err?: Error }).err ?? failed
  return answer.signatures
}

/** A key that cannot sign is told; the message goes on unsigned. A message is signed once, however often it is tried. */
export const createDkimSigner = (deps: {
  readonly config: ConfigReader
  readonly clock: Clock
  readonly events: EventBus
}): DkimSigner => {
  const { config, clock, events } = deps
  const made = createLru<{ readonly header: string }>(KEPT, clock)
  return {
    sign: async ({ mid, direction, icid }, message) => {
      const { keys, profiles, signGenerated } = config.get(dkimSigning)
      if (profiles.length === 0 || direction !== 'outgoing' || (icid === 0 && !signGenerated)) return ''
      const known = made.get(String(mid))
      if (known) return known.header
      const address = readAddresses([fieldNamed(message, 'from')?.raw ?? '']).found[0]?.address
      if (address === undefined) return ''
      const profile = profileFor(address, profiles)
      const key = keys.find((k) => k.name === profile?.key)
      let header = ''
      if (profile && key)
        try {
          header = await signature(profile, key, message, clock.now())
        } catch (error) {
          const text = `The DKIM profile ${profile.name} cannot sign: ${errorText(error)}`
          events.publish({ type: 'system.warning', text })
          return ''
        }
      made.set(String(mid), { header }, KEEP_MS)
      events.publish({ type: 'delivery.dkim', mid, address, profile: header === '' ? null : (profile?.name ?? null) })
      return header
    },
  }
}
