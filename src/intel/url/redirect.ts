import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Links of the redirect service: `<base>/u/<token>`, the token base64url of
 * version (1) · expiry in seconds (4) · message (16) · URL · HMAC-SHA256 over all of it (32).
 * The message is an opaque id: its MID under a pad that only the holder of the key can make again.
 */
const VERSION = 1
const HEAD = 21
const MAC = 32
const PATH = '/u/'
/** Longer ones are cut by mail clients. */
const MAX_URL_BYTES = 2000
/** Longer than any token that is made: refused before anything is decoded. */
export const MAX_PATH = PATH.length + Math.ceil(((HEAD + MAX_URL_BYTES + MAC) * 4) / 3)

const hmac = (key: Uint8Array, use: string, data: Uint8Array): Buffer =>
  createHmac('sha256', key).update(`lychgate redirect ${use}\0`).update(data).digest()

const pad = (key: Uint8Array, nonce: Uint8Array): bigint => hmac(key, 'pad', nonce).readBigUInt64BE()

export interface RedirectLink {
  readonly url: string
  readonly mid: number
  readonly expires: Date
}

/** Only what a browser would open as a page; anything else is never linked to. */
const isWebUrl = (url: string): boolean => /^https?:\/\/[^/\\?#]/i.test(url) && URL.canParse(url)

/** null when the URL is not http or https, or too long for a link. */
export const redirectLink = (key: Uint8Array, baseUrl: string, link: RedirectLink): string | null => {
  const url = Buffer.from(link.url)
  if (!isWebUrl(link.url) || url.length > MAX_URL_BYTES) return null
  const head = Buffer.alloc(HEAD)
  head.writeUInt8(VERSION, 0)
  head.writeUInt32BE(Math.floor(link.expires.getTime() / 1000), 1)
  const mid = Buffer.alloc(8)
  mid.writeBigUInt64BE(BigInt(link.mid))
  const nonce = hmac(key, 'nonce', Buffer.concat([head.subarray(0, 5), mid, url])).subarray(0, 8)
  nonce.copy(head, 5)
  head.writeBigUInt64BE(BigInt(link.mid) ^ pad(key, nonce), 13)
  const body = Buffer.concat([head, url])
  return `${baseUrl}${PATH}${Buffer.concat([body, hmac(key, 'link', body)]).toString('base64url')}`
}

/** `invalid`: not made with this key; nothing of it is believed. */
export const readRedirect = (key: Uint8Array, path: string, now: Date): RedirectLink | 'expired' | 'invalid' => {
  if (!path.startsWith(PATH) || path.length > MAX_PATH) return 'invalid'
  const token = path.slice(PATH.length)
  const bytes = Buffer.from(token, 'base64url')
  // One spelling a link: base64 decoders skip what they do not know.
  if (bytes.length <= HEAD + MAC || bytes.toString('base64url') !== token) return 'invalid'
  const body = bytes.subarray(0, -MAC)
  if (!timingSafeEqual(bytes.subarray(-MAC), hmac(key, 'link', body)) || body[0] !== VERSION) return 'invalid'
  const expires = new Date(body.readUInt32BE(1) * 1000)
  if (expires <= now) return 'expired'
  const mid = Number(body.readBigUInt64BE(13) ^ pad(key, body.subarray(5, 13)))
  const url = body.subarray(HEAD).toString('utf8')
  return isWebUrl(url) ? { url, mid, expires } : 'invalid'
}
