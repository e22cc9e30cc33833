import * as v from 'valibot'
import { defineSection, secretText } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/))
const pem = v.pipe(v.string(), v.maxLength(262_144))

const certificateProfile = v.object({
  name,
  /** PEM: the certificate, then those that lead to its authority. */
  certificate: pem,
  /** PEM (PKCS #8). */
  privateKey: secretText(),
  /** PEM (PKCS #10); '' = none was made. */
  request: pem,
})
export type CertificateProfile = v.InferOutput<typeof certificateProfile>

/** `certconfig`: the certificates that listeners answer STARTTLS with, and authorities of our own for those of clients. */
export const certificates = defineSection({
  name: 'certificates',
  version: 1,
  schema: v.object({
    profiles: v.array(certificateProfile),
    /** Beside the public ones that come with the platform. */
    authorities: v.array(v.object({ name, certificate: pem })),
  }),
  defaults: {
    profiles: [] as CertificateProfile[],
    authorities: [] as { name: string; certificate: string }[],
  },
  verify: ({ profiles, authorities }) => [
    ...uniqueNames('certificates.profiles', profiles),
    ...uniqueNames('certificates.authorities', authorities),
  ],
})
