import { isIP } from 'node:net'
import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
import { certificates } from './certificates.ts'

export const UNKNOWN_CLICKS = ['ask', 'pass', 'block'] as const

/** `https://host[:port]` and nothing behind it. */
export const isBaseUrl = (text: string): boolean => {
  if (!/^https?:\/\/[^/?#@\s\\]+$/i.test(text)) return false
  return URL.canParse(text)
}

/** `redirectconfig`: rewritten URLs of messages lead here and are judged when somebody follows them. */
export const redirect = defineSection({
  name: 'redirect_service',
  version: 1,
  schema: v.object({
    enabled: v.boolean(),
    address: v.pipe(
      v.string(),
      v.check((a) => isIP(a) !== 0, 'not an IP address'),
    ),
    /** 0 takes a free port (tests). */
    port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
    /** What readers reach the service by; links begin with it. */
    baseUrl: v.nullable(v.pipe(v.string(), v.check(isBaseUrl, 'not of the form https://host[:port]'))),
    /** Off: plain HTTP, behind a proxy that ends TLS. */
    tls: v.boolean(),
    /** A profile of certconfig; null = a self-signed certificate made on first use. */
    certificate: v.nullable(v.string()),
    lifetimeDays: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650)),
    /** What happens to a click on a URL that is neither known to be good nor to be malicious. */
    unknown: v.picklist(UNKNOWN_CLICKS),
    /** Signs the links; 32 bytes in base64, made when the service is first enabled. */
    key: v.nullable(secretText()),
  }),
  defaults: {
    enabled: false,
    address: '127.0.0.1',
    port: 8480,
    baseUrl: null,
    tls: true,
    certificate: null,
    lifetimeDays: 90,
    unknown: 'ask',
    key: null,
  },
  verify: (value, whole) => {
    const issues: Issue[] = []
    const issue = (field: string, message: string): void =>
      void issues.push({ path: `redirect_service.${field}`, message, severity: 'error' })
    if (value.key !== null && Buffer.from(value.key, 'base64').length < 32)
      issue('key', 'The key of the redirect service must hold 32 bytes in base64.')
    if (!value.enabled) return issues
    if (value.baseUrl === null)
      issue('baseUrl', 'The redirect service needs a public base URL. Set it with redirectconfig.')
    if (value.key === null) issue('key', 'The redirect service has no key. Make one with redirectconfig newkey.')
    const name = value.certificate
    if (name !== null && !whole.get(certificates).profiles.some((p) => p.name === name))
      issue('certificate', `The certificate profile '${name}' does not exist. Create it with certconfig.`)
    return issues
  },
})
export type RedirectSettings = (typeof redirect)['defaults']
