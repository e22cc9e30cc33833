import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { UserError } from './errors.ts'

/** A new private key (PKCS #8, PEM). RSA of 2048 bits is what every verifier takes (RFC 8301). */
export const newSigningKey = (type: 'rsa' | 'ed25519'): string => {
  const encoding = { privateKeyEncoding: { type: 'pkcs8', format: 'pem' } } as const
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const
  return type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding, publicKeyEncoding }).privateKey
    : generateKeyPairSync('ed25519', { ...encoding, publicKeyEncoding }).privateKey
}

/** A pasted key in our form. @throws UserError; the text is never in the message. */
export const readSigningKey = (pem: string): { readonly type: 'rsa' | 'ed25519'; readonly privateKey: string } => {
  let key
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new UserError('The text is not a private key without a passphrase in PEM.')
  }
  const type = key.asymmetricKeyType
  if (type !== 'rsa' && type !== 'ed25519') throw new UserError('The key must be an RSA or Ed25519 key.')
  if (type === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 1024)
    throw new UserError('The key must have at least 1024 bits (RFC 8301).')
  return { type, privateKey: key.export({ type: 'pkcs8', format: 'pem' }) as string }
}

/** The TXT record that belongs to a key (RFC 6376 §3.6.1, RFC 8463 §4). */
export const dnsTextRecord = (type: 'rsa' | 'ed25519', privateKey: string): string => {
  const publicKey = createPublicKey(createPrivateKey(privateKey))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  // Ed25519 keys are the bare 32 bytes, without their SubjectPublicKeyInfo.
  const p = (type === 'rsa' ? spki : spki.subarray(-32)).toString('base64')
  return `v=DKIM1; k=${type}; p=${p}`
}
