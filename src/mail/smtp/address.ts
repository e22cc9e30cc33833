import { isIP } from 'node:net'
import { isHostname } from '../../core/schema.ts'
import { fail, ok } from '../../core/result.ts'
import type { Result } from '../../core/result.ts'

/** A reverse-path or forward-path with the parameters that follow it (RFC 5321 §4.1.2). */
export interface Path {
  /** Without brackets and source route; '' = the null sender. */
  readonly address: string
  readonly parameters: readonly { readonly keyword: string; readonly value: string | null }[]
}

const MAX_PATH = 320
const ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+$/u
const QUOTED = /^"(?:[ !#-[\]-~\u0080-\u{10ffff}]|\\[ -~])*"$/u
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\u{10ffff}]+))?$/u
const ASCII = /^[\u0000-\u007f]*$/

export const isAscii = (text: string): boolean => ASCII.test(text)

/** `text` is what stands after `MAIL FROM:` or `RCPT TO:`. A blank before the path is taken, as every MTA does. */
export const parsePath = (text: string): Result<Path> => {
  const trimmed = text.trimStart()
  if (!trimmed.startsWith('<')) return fail('The address must stand in angle brackets')
  const end = closingBracket(trimmed)
  if (end < 0) return fail('The address has no closing bracket')
  const parameters: Path['parameters'][number][] = []
  for (const word of trimmed.slice(end + 1).split(' ')) {
    if (word === '') continue
    const match = PARAMETER.exec(word)
    if (!match || trimmed[end + 1] !== ' ') return fail('Syntax error after the address')
    parameters.push({ keyword: (match[1] ?? '').toUpperCase(), value: match[2] ?? null })
  }
  const address = trimmed.slice(1, end).replace(/^@[^:"]*:/, '')
  return ok({ address, parameters })
}

/** The bracket that closes the path; one inside a quoted local part does not. */
const closingBracket = (text: string): number => {
  let quoted = false
  for (let i = 1; i < text.length; i++) {
    const c = text[i]
    if (quoted && c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (c === '>' && !quoted) return i
  }
  return -1
}

/** A mailbox: dot-atom or quoted local part, and a host name or an address literal. */
export const isMailbox = (address: string): boolean => {
  const at = address.lastIndexOf('@')
  if (at < 1 || Buffer.byteLength(address) > MAX_PATH) return false
  const local = address.slice(0, at)
  return (QUOTED.test(local) || local.split('.').every((atom) => ATOM.test(atom))) && isDomain(address.slice(at + 1))
}

const isDomain = (domain: string): boolean => {
  const literal = /^\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]$/i.exec(domain)
  if (literal) return isIP(literal[1] ?? '') !== 0
  // U-labels (RFC 6531) count by their form: no blanks, controls or specials.
  return isHostname(isAscii(domain) ? domain : domain.replace(/[\u0080-\u{10ffff}]/gu, 'u'))
}

/** The same for two spellings of one mailbox: of a domain the case says nothing (RFC 5321 §2.4), of a local part it may. */
export const mailboxKey = (address: string): string => {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}${address.slice(at).toLowerCase()}`
}
