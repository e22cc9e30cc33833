import { createHmac, timingSafeEqual } from 'node:crypto'
import { SENDER_LEVELS } from '../../events/levels.ts'
import type { SenderLevel } from '../../events/levels.ts'

/**
 * The tracker header: `<Unix time in hex>_<base64 of 64 bytes>`, as long as the reference's. The token is opaque to
 * everybody else and tells this appliance which message it judged how: 16 bytes of content, masked, under a MAC that
 * also covers the time.
 */
export interface TrackedVerdict {
  readonly at: Date
  readonly mid: number
  readonly level: SenderLevel
}

const CONTENT = 16
const MAC = 48
const VERSION = 1

const mac = (key: Uint8Array, time: string, content: Uint8Array): Buffer =>
  createHmac('sha384', key).update(`tracker\0${time}\0`).update(content).digest()

/** The MAC differs for every message, so the mask does too. */
const masked = (key: Uint8Array, tag: Uint8Array, content: Uint8Array): Buffer => {
  const pad = createHmac('sha256', key).update('mask\0').update(tag).digest()
  return Buffer.from(content.map((b, i) => b ^ (pad[i] ?? 0)))
}

export const makeTracker = (key: Uint8Array, verdict: TrackedVerdict): string => {
  const time = Math.floor(verdict.at.getTime() / 1000).toString(16)
  const content = Buffer.alloc(CONTENT)
  content[0] = VERSION
  content[1] = SENDER_LEVELS.indexOf(verdict.level)
  content.writeUIntBE(verdict.mid, 2, 6)
  const tag = mac(key, time, content)
  return `${time}_${Buffer.concat([tag, masked(key, tag, content)]).toString('base64')}`
}

/** null = not made by this appliance, or changed since. */
export const verifyTracker = (key: Uint8Array, tracker: string): TrackedVerdict | null => {
  const m = /^([0-9a-f]{1,12})_([A-Za-z0-9+/]{86}==)$/.exec(tracker.trim())
  if (!m) return null
  const time = m[1] as string
  const bytes = Buffer.from(m[2] as string, 'base64')
  const tag = bytes.subarray(0, MAC)
  const content = masked(key, tag, bytes.subarray(MAC))
  if (!timingSafeEqual(tag, mac(key, time, content)) || content[0] !== VERSION) return null
  const level = SENDER_LEVELS[content[1] ?? -1]
  return level === undefined ? null : { at: new Date(parseInt(time, 16) * 1000), mid: content.readUIntBE(2, 6), level }
}
