import { createHmac, timingSafeEqual } from 'node:crypto'
import { splitAddress } from '../../core/mailbox-path.ts'

/**
 * Bounce address tags (draft-levine-smtp-batv, the scheme prvs): `prvs=KDDDSSSSSS=local@domain`. K is the number of the
 * key, DDD the last three digits of the day since 1970 on which the tag ends, SSSSSS the first three bytes of
 * HMAC-SHA-1 over K, DDD and the address. The address is folded to small letters before, since hosts on the way change
 * its case.
 */
export interface TagKey {
  /** 0 to 9. */
  readonly number: number
  readonly key: string
}

const VALID_DAYS = 7
const DAY_MS = 86_400_000
const TAG = /^prvs=(\d)(\d{3})([0-9a-f]{6})=(.+)$/i
const TAG_LENGTH = 'prvs=0000000000='.length
/** RFC 5321 §4.5.3.1.1. */
const LOCAL_BYTES = 64

const dayOf = (at: Date): number => Math.floor(at.getTime() / DAY_MS)

const mac = ({ number, key }: TagKey, day: string, address: string): Buffer =>
  createHmac('sha1', key).update(`${number}${day}${address.toLowerCase()}`).digest().subarray(0, 3)

export const isTagged = (address: string): boolean => TAG.test(splitAddress(address).local)

/** A quoted local part, one without room for a tag, and the postmaster (RFC 5321 §4.5.1) go without. */
export const isTaggable = (address: string): boolean => {
  const { local, domain } = splitAddress(address)
  if (local === '' || domain === '' || local.startsWith('"')) return false
  return local.toLowerCase() !== 'postmaster' && Buffer.byteLength(local) + TAG_LENGTH <= LOCAL_BYTES
}

/** The address with a tag that is good for seven days. */
export const tagAddress = (address: string, key: TagKey, at: Date): string => {
  const day = String((dayOf(at) + VALID_DAYS) % 1000).padStart(3, '0')
  return `prvs=${key.number}${day}${mac(key, day, address).toString('hex')}=${address}`
}

/** The address under the tag; null when there is no tag, or one that is forged or past its day. */
export const openTag = (tagged: string, keys: readonly TagKey[], at: Date): string | null => {
  const { local, domain } = splitAddress(tagged)
  const [, number, day = '', sum = '', original = ''] = TAG.exec(local) ?? []
  const key = keys.find((k) => String(k.number) === number)
  if (!key) return null
  const address = `${original}@${domain}`
  const left = (Number(day) - (dayOf(at) % 1000) + 1000) % 1000
  return left <= VALID_DAYS && timingSafeEqual(mac(key, day, address), Buffer.from(sum, 'hex')) ? address : null
}
