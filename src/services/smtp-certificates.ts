import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { certificates } from '../config/sections/certificates.ts'
import type { CertificateProfile } from '../config/sections/certificates.ts'
import type { Listener } from '../config/sections/listeners.ts'
import type { ConfigConsumer, ConfigReader } from '../config/section.ts'
import { errorText, Fault } from '../core/errors.ts'
import type { Issue } from '../core/errors.ts'
import { secureContextOf } from './smtp-tls.ts'
import type { KeyPair, ListenerTls } from './smtp-tls.ts'

interface Ready {
  readonly context: SecureContext
  readonly x509: X509Certificate
}

type Section = (typeof certificates)['defaults']

export interface SmtpCertificates {
  /** Loads the appliance's own certificate. */
  start(): Promise<void>
  /** What a listener answers STARTTLS with, by the running configuration. */
  of(listener: Listener): ListenerTls
  readonly consumer: ConfigConsumer<Section>
}

const pairOf = ({ privateKey, certificate }: CertificateProfile): KeyPair => ({ key: privateKey, cert: certificate })

/** Authorities of clients: the public ones, and the operator's. */
const trusted = ({ authorities }: Section): readonly string[] =>
  authorities.length === 0 ? [] : [...rootCertificates, ...authorities.map((a) => a.certificate)]

/** TLS contexts of the certificate profiles: each is made once for a configuration, not for a connection. */
export const createSmtpCertificates = (
  config: ConfigReader,
  /** The certificate made on first start, for listeners without a profile. */
  own: () => Promise<KeyPair>,
): SmtpCertificates => {
  let ownPair: KeyPair | null = null
  let from: Section | null = null
  let ready = new Map<string, Ready>()
  let answers = new WeakMap<readonly string[], ListenerTls>()

  const context = (key: string, pair: () => KeyPair, section: Section): Ready => {
    let known = ready.get(key)
    if (!known) {
      const made = pair()
      known = { context: secureContextOf(made, trusted(section)), x509: new X509Certificate(made.cert) }
      ready.set(key, known)
    }
    return known
  }

  const answer = (listener: Listener, section: Section): ListenerTls => {
    const profiles = listener.certificates.flatMap((n) => section.profiles.filter((p) => p.name === n))
    const all = profiles.map((p) => context(`profile ${p.name}`, () => pairOf(p), section))
    const first = all[0] ?? context('own', ownCertificate, section)
    return {
      secureContext: first.context,
      forHost: (name) => (all.find((c) => c.x509.checkHost(name) !== undefined) ?? first).context,
    }
  }

  const ownCertificate = (): KeyPair => {
    if (!ownPair) throw new Fault('NOT_CONFIGURED', 'the certificate of the appliance is not loaded')
    return ownPair
  }

  const problem = (profile: CertificateProfile): readonly Issue[] => {
    try {
      secureContextOf(pairOf(profile))
      return []
    } catch (error) {
      const message = `The certificate profile ${profile.name} cannot be used: ${errorText(error)}.`
      return [{ path: `certificates.profiles.${profile.name}`, message, severity: 'error' }]
    }
  }

  return {
    start: async () => {
      ownPair = await own()
    },
    of: (listener) => {
      const section = config.get(certificates)
      if (section !== from) {
        from = section
        ready = new Map()
        answers = new WeakMap()
      }
      let known = answers.get(listener.certificates)
      if (!known) answers.set(listener.certificates, (known = answer(listener, section)))
      return known
    },
    consumer: {
      section: certificates,
      prepare: (next) => Promise.resolve(next.profiles.flatMap(problem)),
      // `of` sees the next section by itself; connections go on with what they began with.
      apply: () => Promise.resolve(),
    },
  }
}
