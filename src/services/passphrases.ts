import type { Entropy } from '../core/entropy.ts'
import type { PassphrasePolicy } from '../config/sections/users.ts'

/** Slow hashing, one at a time: it shares the thread pool with the disk and DNS. */
export interface Passphrases {
  /** @throws Fault STORE_BUSY when too many wait already. */
  hash(plain: string): Promise<string>
  /** Without a hash it takes as long and answers false, so that time does not tell which users exist. */
  verify(hash: string | null, plain: string): Promise<boolean>
}

/** What the policy has against a new passphrase; null = it may be used. */
export const policyFault = (policy: PassphrasePolicy, name: string, plain: string): string | null => {
  if ([...plain].length < policy.minLength) return `The passphrase must have at least ${policy.minLength} characters.`
  if (plain.length > MAX_LENGTH) return `The passphrase must have at most ${MAX_LENGTH} characters.`
  if (policy.upper && !/\p{Lu}/u.test(plain)) return 'The passphrase must have an upper case letter.'
  if (policy.lower && !/\p{Ll}/u.test(plain)) return 'The passphrase must have a lower case letter.'
  if (policy.digit && !/\p{Nd}/u.test(plain)) return 'The passphrase must have a digit.'
  if (policy.special && /^[\p{L}\p{N}]*$/u.test(plain)) return 'The passphrase must have a special character.'
  if (plain.toLowerCase().includes(name.toLowerCase())) return 'The passphrase must not hold the user name.'
  return null
}

export const MAX_LENGTH = 128
// Without letters and digits that look alike.
const GROUPS = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz', '23456789', '-+=%@']
const ALL = GROUPS.join('')

/** A passphrase that every policy takes, of at least 20 characters (over 115 bits). */
export const generatePassphrase = (entropy: Entropy, minLength: number): string => {
  for (;;) {
    const made = Array.from({ length: Math.max(20, minLength) }, () => ALL.charAt(entropy.int(ALL.length))).join('')
    if (GROUPS.every((group) => [...group].some((c) => made.includes(c)))) return made
  }
}
