import type { DsnOccasion, DsnReturn } from '../../store/spool.ts'
import type { Path } from './address.ts'
import { REPLIES } from './replies.ts'
import { isXtext } from './xtext.ts'

/** What stands behind the sender and outlives the conversation; absent = not given. */
export interface SenderOptions {
  readonly utf8?: true
  readonly ret?: DsnReturn
  /** xtext. */
  readonly envid?: string
}

/** What stands behind a recipient (RFC 3461). */
export interface RecipientOptions {
  /** Empty = NEVER. */
  readonly notify?: readonly DsnOccasion[]
  readonly orcpt?: string
}

const OCCASIONS: readonly DsnOccasion[] = ['SUCCESS', 'FAILURE', 'DELAY']
const ENVID_LENGTH = 100
const ORCPT_LENGTH = 500
/** An address type, and the address as xtext; `utf-8` addresses may stand as they are (RFC 6533 §3). */
const ORCPT = /^([A-Za-z0-9-]+);(.+)$/su

/** Each keyword once (RFC 5321 §4.1.1.11 leaves no room for two values). */
const repeats = ({ parameters }: Path): boolean => new Set(parameters.map((p) => p.keyword)).size < parameters.length

/** Reads the parameters of MAIL; a text is the reply that refuses them. */
export const mailParameters = (
  path: Path,
  offered: { readonly maxMessageBytes: number; readonly auth: boolean },
): SenderOptions | string => {
  if (repeats(path)) return REPLIES.parameterSyntax
  let options: SenderOptions = {}
  for (const { keyword, value } of path.parameters) {
    const word = value?.toUpperCase()
    if (keyword === 'SMTPUTF8' && value === null) options = { ...options, utf8: true }
    else if (keyword === 'BODY') {
      if (word !== '7BIT' && word !== '8BITMIME') return REPLIES.parameterSyntax
    } else if (keyword === 'SIZE') {
      if (value === null || !/^\d{1,20}$/.test(value)) return REPLIES.parameterSyntax
      if (Number(value) > offered.maxMessageBytes) return REPLIES.tooBig
    } else if (keyword === 'RET') {
      if (word !== 'FULL' && word !== 'HDRS') return REPLIES.parameterSyntax
      options = { ...options, ret: word }
    } else if (keyword === 'ENVID') {
      if (value === null || value.length > ENVID_LENGTH || !isXtext(value)) return REPLIES.parameterSyntax
      options = { ...options, envid: value }
    } else if (keyword === 'AUTH' && offered.auth) {
      // RFC 4954 §5: whom the client names as the submitter is taken and not believed.
      if (value === null) return REPLIES.parameterSyntax
    } else return REPLIES.parameter
  }
  return options
}

/** NOTIFY=: NEVER alone, or a list of the others; null = neither. */
const occasions = (value: string | null): readonly DsnOccasion[] | null => {
  const words = value?.toUpperCase().split(',') ?? []
  if (words.length === 1 && words[0] === 'NEVER') return []
  const known = OCCASIONS.filter((o) => words.includes(o))
  return words.length > 0 && known.length === words.length ? known : null
}

const isOriginalRecipient = (value: string | null): value is string => {
  const [, type = '', address = ''] = ORCPT.exec(value ?? '') ?? []
  return address !== '' && (value ?? '').length <= ORCPT_LENGTH && (type.toLowerCase() === 'utf-8' || isXtext(address))
}

/** Reads the parameters of RCPT; a text is the reply that refuses them. */
export const rcptParameters = (path: Path): RecipientOptions | string => {
  if (repeats(path)) return REPLIES.parameterSyntax
  let options: RecipientOptions = {}
  for (const { keyword, value } of path.parameters) {
    if (keyword === 'NOTIFY') {
      const notify = occasions(value)
      if (notify === null) return REPLIES.parameterSyntax
      options = { ...options, notify }
    } else if (keyword === 'ORCPT') {
      if (!isOriginalRecipient(value)) return REPLIES.parameterSyntax
      options = { ...options, orcpt: value }
    } else return REPLIES.parameter
  }
  return options
}
