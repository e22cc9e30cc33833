import { isUtf8 } from 'node:buffer'

export interface Credentials {
  readonly mechanism: 'PLAIN' | 'LOGIN'
  readonly user: string
  readonly passphrase: string
}

export type SaslStep =
  /** `text` is base64 already. */
  | { readonly kind: 'challenge'; readonly text: string }
  | { readonly kind: 'done'; readonly credentials: Credentials }
  | { readonly kind: 'cancelled' | 'malformed' }

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const MALFORMED: SaslStep = { kind: 'malformed' }
const challenge = (text: string): SaslStep => ({ kind: 'challenge', text: Buffer.from(text).toString('base64') })

const decode = (line: string): string | null => {
  // RFC 4954 §4: `=` is an initial response that is empty.
  if (line === '=') return ''
  if (!BASE64.test(line)) return null
  const bytes = Buffer.from(line, 'base64')
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}

/** The server's side of AUTH PLAIN (RFC 4616) and AUTH LOGIN: lines in, challenges and credentials out. */
export class SaslExchange {
  readonly #mechanism: Credentials['mechanism']
  #user: string | null = null

  constructor(mechanism: Credentials['mechanism']) {
    this.#mechanism = mechanism
  }

  /** `initial` is what stands behind the mechanism; '' = nothing. */
  begin(initial: string): SaslStep {
    if (initial !== '') return this.next(initial)
    return challenge(this.#mechanism === 'LOGIN' ? 'Username:' : '')
  }

  next(line: string): SaslStep {
    if (line === '*') return { kind: 'cancelled' }
    const text = decode(line)
    if (text === null) return MALFORMED
    return this.#mechanism === 'PLAIN' ? this.#plain(text) : this.#login(text)
  }

  #plain(text: string): SaslStep {
    const [identity, user = '', passphrase, ...more] = text.split('\u0000')
    // Nobody acts for somebody else here.
    if (passphrase === undefined || more.length > 0 || user === '' || (identity !== '' && identity !== user))
      return MALFORMED
    return { kind: 'done', credentials: { mechanism: 'PLAIN', user, passphrase } }
  }

  #login(text: string): SaslStep {
    if (this.#user === null) {
      if (text === '') return MALFORMED
      this.#user = text
      return challenge('Password:')
    }
    return { kind: 'done', credentials: { mechanism: 'LOGIN', user: this.#user, passphrase: text } }
  }
}
