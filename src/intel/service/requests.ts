import { fail, ok } from '../../core/result.ts'
import type { Result } from '../../core/result.ts'
import { MAX_URL } from '../url/absolute.ts'
import type { SenderQuery } from '../verdict.ts'

/** Checks of what devices send. Shapes in docs/intelligence/api.md. */

export const MAX_ITEMS = 1000
const MAX_HOST = 512
const MAX_NAMES = 20

type Json = Readonly<Record<string, unknown>>
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)
const isText = (v: unknown, max: number): v is string => typeof v === 'string' && v !== '' && v.length <= max
const EMAIL_ID = /^[A-Za-z0-9-]{1,64}$/

/** `{org_id, model, version, type}`; only the organisation is kept. */
export const readRegistrationBody = (body: unknown): Result<{ readonly orgId: string }> => {
  if (!isObject(body)) return fail('The body is not a JSON object.')
  for (const name of ['org_id', 'model', 'version', 'type'])
    if (!isText(body[name], 128)) return fail(`${name} must be a text of 1 to 128 characters.`)
  return ok({ orgId: body['org_id'] as string })
}

/** `{urls: [{email_id, url}]}` */
export const readSubmissions = (
  body: unknown,
): Result<readonly { readonly emailId: string; readonly url: string }[]> => {
  const items = isObject(body) ? body['urls'] : undefined
  if (!Array.isArray(items) || items.length > MAX_ITEMS)
    return fail(`urls must be a list of at most ${MAX_ITEMS} objects {email_id, url}.`)
  const out: { emailId: string; url: string }[] = []
  for (const item of items as readonly unknown[]) {
    if (!isObject(item) || !isText(item['url'], MAX_URL))
      return fail(`url must be a text of 1 to ${MAX_URL} characters.`)
    const emailId = item['email_id']
    if (typeof emailId !== 'string' || !EMAIL_ID.test(emailId)) return fail('email_id must be a UUID.')
    out.push({ emailId, url: item['url'] })
  }
  return ok(out)
}

/** `{urls: ["…"]}` */
export const readUrls = (body: unknown): Result<readonly string[]> => {
  const urls = isObject(body) ? body['urls'] : undefined
  return Array.isArray(urls) && urls.length <= MAX_ITEMS && urls.every((u) => isText(u, MAX_URL))
    ? ok(urls)
    : fail(`urls must be a list of at most ${MAX_ITEMS} texts of at most ${MAX_URL} characters.`)
}

const HOSTS = ['reverseHost', 'helo', 'envelopeFrom', 'headerFrom', 'replyTo'] as const
const RESULTS = ['spf', 'dkim', 'dmarc'] as const

export const readSenderQuery = (body: unknown): Result<SenderQuery> => {
  if (!isObject(body)) return fail('The body is not a JSON object.')
  if (!isText(body['remoteAddress'], 64)) return fail('remoteAddress must be an IP address.')
  for (const name of HOSTS)
    if (body[name] !== null && !(typeof body[name] === 'string' && body[name].length <= MAX_HOST))
      return fail(`${name} must be a domain or null.`)
  for (const name of RESULTS)
    if (body[name] !== undefined && !isText(body[name], 32)) return fail(`${name} must be a result word.`)
  for (const name of ['userParts', 'displayNames']) {
    const list = body[name]
    if (list === undefined) continue
    if (
      !Array.isArray(list) ||
      list.length > MAX_NAMES ||
      !list.every((t) => typeof t === 'string' && t.length <= 1024)
    )
      return fail(`${name} must be a list of at most ${MAX_NAMES} texts.`)
  }
  return ok(body as unknown as SenderQuery)
}

const SINCE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

export const readRetroQuery = (
  since: string | undefined,
  pageSize: string | undefined,
): Result<{ readonly since: Date; readonly pageSize: number }> => {
  const at = since !== undefined && SINCE.test(since) ? Date.parse(since) : NaN
  if (Number.isNaN(at)) return fail('since must be a time such as 2022-03-29T23:20:24Z.')
  const size = pageSize === undefined ? 10 : /^\d{1,4}$/.test(pageSize) ? Number(pageSize) : 0
  if (size < 1 || size > MAX_ITEMS) return fail(`page_size must be a number from 1 to ${MAX_ITEMS}.`)
  return ok({ since: new Date(at), pageSize: size })
}
