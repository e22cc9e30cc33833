import type { Resolver } from '../../core/resolver.ts'
import type { EventOf } from '../../events/event.ts'
import { readHeaderBlock } from '../message/header-block.ts'
import { ADDRESS_LIMITS } from '../message/addresses.ts'
import { SCAN_LIMITS } from '../message/limits.ts'

/** What the filter rule `dkim-authentication` compares. */
export type DkimWord = 'pass' | 'neutral' | 'temperror' | 'permerror' | 'hardfail' | 'none'

export type DkimSignature = Omit<EventOf<'auth.dkim'>, 'type' | 'mid'> & { readonly word: DkimWord }

export interface DkimOutcome {
  readonly signatures: readonly DkimSignature[]
  readonly info: readonly string[]
  readonly headerFrom: readonly string[]
  readonly passed: readonly { readonly id?: string; readonly domain: string }[]
}

/** Signatures verified in one message; the rest is ignored (fault 23: a hundred signatures, a hundred key look-ups). */
const MAX_SIGNATURES = 10
const EMPTY_LINE = Buffer.from('\r\n')

/** What is there to verify of a message. */
export interface DkimMatter {
  readonly message: Buffer
  /** Signatures with a body length, which are left out. */
  readonly partial: number
  /** It bears no signature, and these are its From fields: all that the outcome depends on. */
  readonly unsigned: string | null
  /** Its address fields are longer than ADDRESS_LIMITS: they are not read. */
  readonly tooLong: boolean
}

/**
 * Leaves out what must not be verified: signatures beyond the limit, and those with a body length (`l=`), which let
 * anybody append text to a signed message (RFC 6376 §8.2).
 */
export const dkimMatter = (raw: Buffer): DkimMatter => {
  const block = readHeaderBlock(raw, 0, raw.length, SCAN_LIMITS)
  let kept = 0
  let partial = 0
  let arc = false
  let characters = 0
  const from: Buffer[] = []
  const dropped = block.fields.filter(({ name, raw: text, start, end }) => {
    const field = name.toLowerCase()
    if (field === 'from' || field === 'return-path') characters += text.length
    if (field === 'from') from.push(raw.subarray(start, end))
    arc ||= field.startsWith('arc-')
    if (field !== 'dkim-signature') return false
    if (/(?:^|;)\s*l\s*=/i.test(text)) {
      partial++
      return true
    }
    return ++kept > MAX_SIGNATURES
  })
  const tooLong = characters > ADDRESS_LIMITS.characters
  if (dropped.length === 0) {
    if (kept > 0 || arc || block.cut) return { message: raw, partial, unsigned: null, tooLong }
    // Nothing is said of the body or of other fields, so they are not read again.
    const message = Buffer.concat([...from, EMPTY_LINE])
    return { message, partial, unsigned: message.toString('latin1'), tooLong }
  }
  const pieces: Buffer[] = []
  let at = 0
  for (const f of dropped) {
    pieces.push(raw.subarray(at, f.start))
    at = f.end
  }
  return { message: Buffer.concat([...pieces, raw.subarray(at)]), partial, unsigned: null, tooLong }
}

const describe = (result: string, comment: string): Pick<DkimSignature, 'result' | 'detail' | 'word'> => {
  if (result === 'pass') return { result: 'pass', detail: 'signature verified', word: 'pass' }
  if (result === 'temperror') return { result: 'temperror', detail: comment, word: 'temperror' }
  if (comment.startsWith('no key')) return { result: 'permfail', detail: 'no key for signature', word: 'permerror' }
  if (comment === 'body hash did not verify')
    return { result: 'permfail', detail: 'body hash did not verify [final]', word: 'hardfail' }
  if (result === 'fail') return { result: 'permfail', detail: 'signature did not verify [final]', word: 'hardfail' }
  return { result: 'permfail', detail: comment === '' ? 'policy' : comment, word: 'permerror' }
}

const withoutDomain = { domain: null, selector: null, identity: null }

export const verifyDkim = async ({ message, partial }: DkimMatter, resolver: Resolver): Promise<DkimOutcome> => {
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js')
  const answer = await dkimVerify(message, {
    resolver: (name: string, type: string) => resolver.resolve(name, type) as Promise<string[]>,
  })
  const present = (answer.headers?.parsed ?? []).filter((h) => h.key === 'dkim-signature').length
  const verified = answer.results.filter((r) => r.signingDomain)
  const malformed = Math.max(0, present - verified.length)
  return {
    headerFrom: ([] as string[]).concat(answer.headerFrom ?? []),
    info: answer.results.map((r) => r.info),
    passed: verified
      .filter((r) => r.status.result === 'pass')
      .map((r) => ({ domain: r.signingDomain, ...(r.id === undefined ? {} : { id: r.id }) })),
    signatures: [
      ...verified.map((r) => ({
        ...describe(r.status.result, String(r.status.comment ?? '')),
        domain: r.signingDomain,
        selector: r.selector ?? null,
        identity: null,
      })),
      ...Array.from({ length: malformed }, (): DkimSignature => ({
        result: 'malformed',
        detail: 'signature missing required tag',
        word: 'permerror',
        ...withoutDomain,
      })),
      ...Array.from({ length: Math.min(partial, 1) }, (): DkimSignature => ({
        result: 'permfail',
        detail: 'body length limits are not accepted',
        word: 'permerror',
        ...withoutDomain,
      })),
    ],
  }
}
