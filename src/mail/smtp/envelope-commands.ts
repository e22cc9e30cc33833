import { asciiMailbox } from '../../core/domain-name.ts'
import { isAscii, isMailbox, parsePath } from './address.ts'
import { mailParameters, rcptParameters } from './mail-parameters.ts'
import type { RecipientOptions, SenderOptions } from './mail-parameters.ts'
import { REPLIES } from './replies.ts'

/*
 * What stands behind MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3); a text is the reply that refuses it. Domains leave here as
 * A-labels: every table, filter and queue behind it knows a domain by one name.
 */

export const readSender = (
  argument: string,
  offered: { readonly maxMessageBytes: number; readonly auth: boolean },
): { readonly address: string; readonly options: SenderOptions } | string => {
  const [, rest] = /^FROM:(.*)$/i.exec(argument) ?? []
  const path = rest === undefined ? null : parsePath(rest)
  if (!path?.ok) return REPLIES.mailSyntax
  const { address: given } = path.value
  const options = mailParameters(path.value, offered)
  if (typeof options === 'string') return options
  const address = given === '' ? '' : asciiMailbox(given)
  if (address === null || (given !== '' && !isMailbox(given))) return REPLIES.senderSyntax
  if (options.utf8 !== true && !isAscii(given)) return REPLIES.needsUtf8
  return { address, options }
}

export const readRecipient = (
  argument: string,
  utf8: boolean,
): { readonly address: string; readonly options: RecipientOptions } | string => {
  const [, rest] = /^TO:(.*)$/i.exec(argument) ?? []
  const path = rest === undefined ? null : parsePath(rest)
  if (!path?.ok) return REPLIES.rcptSyntax
  const { address: given } = path.value
  const options = rcptParameters(path.value)
  if (typeof options === 'string') return options
  // RFC 5321 §4.5.1: `<postmaster>` needs no domain.
  const postmaster = given.toLowerCase() === 'postmaster'
  const address = postmaster ? given : asciiMailbox(given)
  if (address === null || (!postmaster && !isMailbox(given))) return REPLIES.recipientSyntax
  return utf8 || isAscii(given) ? { address, options } : REPLIES.needsUtf8
}
