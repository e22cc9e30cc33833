import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/))
const canonicalization = () => v.picklist(['simple', 'relaxed'])
const domainName = v.pipe(v.string(), v.minLength(1), v.maxLength(253))

export const signingKey = v.object({
  name,
  type: v.picklist(['rsa', 'ed25519']),
  /** PEM (PKCS #8). */
  privateKey: secretText(),
})
export type SigningKey = v.InferOutput<typeof signingKey>

export const signingProfile = v.object({
  name,
  /** `d=` */
  domain: domainName,
  selector: domainName,
  /** null = not yet; nothing is signed. */
  key: v.nullable(name),
  headerCanonicalization: canonicalization(),
  bodyCanonicalization: canonicalization(),
  /** Seconds until a signature ends; null = never. */
  expirationSeconds: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(3600), v.maxValue(31_536_000))),
  /** `user@example.com`, `example.com`, `.example.com`; empty = the whole domain. */
  users: v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(254))),
})
export type SigningProfile = v.InferOutput<typeof signingProfile>

/** `domainkeysconfig`: keys and profiles of DKIM signing. */
export const dkimSigning = defineSection({
  name: 'dkim_signing',
  version: 1,
  schema: v.object({
    keys: v.array(signingKey),
    profiles: v.array(signingProfile),
    /** Bounces and alerts too. */
    signGenerated: v.boolean(),
  }),
  defaults: { keys: [] as SigningKey[], profiles: [] as SigningProfile[], signGenerated: true },
  verify: ({ keys, profiles }) => {
    const known = new Set(keys.map((k) => k.name))
    return [
      ...uniqueNames('dkim_signing.keys', keys),
      ...uniqueNames('dkim_signing.profiles', profiles),
      ...profiles.flatMap((p): readonly Issue[] =>
        p.key === null || known.has(p.key)
          ? []
          : [
              {
                path: `dkim_signing.profiles.${p.name}.key`,
                message: `The signing key '${p.key}' of the profile ${p.name} does not exist.`,
                severity: 'error',
              },
            ],
      ),
    ]
  },
})
