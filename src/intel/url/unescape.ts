import { Buffer } from 'node:buffer'

const ESCAPES = /(?:%[0-9a-fA-F]{2})+/g

/** One layer of %XX undone, as UTF-8; what is no escape stays. */
export const percentDecoded = (text: string): string =>
  text.replace(ESCAPES, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))

/** Base64 of either alphabet, padding or not, as UTF-8; '' when the text holds other characters. */
export const base64Decoded = (text: string): string =>
  /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : ''
