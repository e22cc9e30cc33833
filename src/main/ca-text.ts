import { readFileSync } from 'node:fs'
import { UserError, errorText } from '../core/errors.ts'

/** The certificates in a PEM file that an operator named. @throws UserError when there are none */
export const caText = (path: string): string => {
  try {
    const pem = readFileSync(path, 'utf8')
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  } catch (error) {
    throw new UserError(`The CA file ${path} cannot be read: ${errorText(error)}.`)
  }
  throw new UserError(`The CA file ${path} holds no PEM certificate.`)
}
