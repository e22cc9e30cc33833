import type { Path } from './address.ts'
import { REPLIES } from './replies.ts'

/** Reads the parameters of MAIL; a text is the reply that refuses them. */
export const mailParameters = (
  path: Path,
  offered: { readonly maxMessageBytes: number; readonly auth: boolean },
): { readonly utf8: boolean } | string => {
  let utf8 = false
  for (const { keyword, value } of path.parameters) {
    if (keyword === 'SMTPUTF8' && value === null) utf8 = true
    else if (keyword === 'BODY') {
      if (value?.toUpperCase() !== '7BIT' && value?.toUpperCase() !== '8BITMIME') return REPLIES.parameterSyntax
    } else if (keyword === 'SIZE') {
      if (value === null || !/^\d{1,20}$/.test(value)) return REPLIES.parameterSyntax
      if (Number(value) > offered.maxMessageBytes) return REPLIES.tooBig
    } else if (keyword === 'AUTH' && offered.auth) {
      // RFC 4954 §5: whom the client names as the submitter is taken and not believed.
      if (value === null) return REPLIES.parameterSyntax
    } else return REPLIES.parameter
  }
  return { utf8 }
}
