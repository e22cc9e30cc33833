import type { TlsMode } from '../../config/sections/destinations.ts'
import type { TlsDemand } from './transport.ts'

/** destconfig's TLS settings as what is asked of one host. The certificate may be for the host or for the domain it serves. */
export const tlsDemand = (mode: TlsMode, host: string, domain: string): TlsDemand => {
  const names = [...new Set([host, domain])]
  switch (mode) {
    case 'no':
    case 'preferred':
    case 'required':
      return { use: mode, proof: 'none', names, altNamesOnly: false, tlsa: [] }
    case 'preferred_verify':
      return { use: 'preferred', proof: 'wanted', names, altNamesOnly: false, tlsa: [] }
    case 'required_verify':
      return { use: 'required', proof: 'required', names, altNamesOnly: false, tlsa: [] }
  }
}
