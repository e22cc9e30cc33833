import { hash } from 'node:crypto'

/**
 * Hashes of look-up expressions. An expression is the text that opinions are stored under: `host/path?query` for URLs, as
 * Safe Browsing hashes them, and `host` without a slash for domains; the two never meet.
 */
export const expressionHash = (expression: string): Buffer => hash('sha256', expression, 'buffer')

/** The first eight bytes as a signed integer: what the tables are keyed by. */
export const shortHash = (expression: string): bigint => expressionHash(expression).readBigInt64BE(0)

/** The name of a URL as found, for who shall not read it: 32 hexadecimal digits. */
export const urlRef = (url: string): string => hash('sha256', url).slice(0, 32)
