import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const intelSource = v.object({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/)),
  enabled: v.boolean(),
  /** `lines`: one URL or domain a line; `csv`: indicator,level[,category[,age in days]]. */
  format: v.picklist(['lines', 'csv']),
  /** Absolute path, or a name in `<home>/configuration/`. */
  path: v.pipe(v.string(), v.minLength(1)),
  /** Level that `lines` give, and `csv` rows without one. */
  level: v.picklist(['untrusted', 'questionable', 'neutral', 'favorable', 'trusted']),
  category: v.string(),
  refreshSeconds: v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(604_800)),
})
export type IntelSource = v.InferOutput<typeof intelSource>

/** `intelconfig`: where opinions come from, and which service retrospection talks to. */
export const intelligence = defineSection({
  name: 'intelligence',
  version: 1,
  schema: v.object({
    /** Sent when the device registers (`org_id`). */
    organization: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
    /** null = the embedded service on a loopback port; else `https://host:port` of a `lychgate intel serve`. */
    serviceUrl: v.nullable(v.pipe(v.string(), v.regex(/^https:\/\/[^/?#\s@]+$/))),
    /** PEM file of the CA that signs the service's certificate; null with `serviceUrl` = the system's CAs. */
    caFile: v.nullable(v.string()),
    /** `http://proxy:port` for CONNECT; traffic passes through undecrypted. No passphrase: this text is no secret. */
    proxyUrl: v.nullable(v.pipe(v.string(), v.regex(/^http:\/\/[^/?#\s@]+$/))),
    /** The device's own enrolment secret for a shared service; the embedded one makes its own. */
    deviceSecret: v.nullable(secretText()),
    sources: v.array(intelSource),
  }),
  defaults: {
    organization: 'lychgate',
    serviceUrl: null,
    caFile: null,
    proxyUrl: null,
    deviceSecret: null,
    sources: [] as IntelSource[],
  },
  verify: (value) => [
    ...uniqueNames('intelligence.sources', value.sources),
    ...(value.serviceUrl !== null && value.deviceSecret === null
      ? [
          {
            path: 'intelligence.deviceSecret',
            message: 'A shared intelligence service needs the device secret that it issued. Set it with intelconfig.',
            severity: 'error',
          } satisfies Issue,
        ]
      : []),
  ],
})
