import { fail, ok } from '../../core/result.ts'
import type { Result } from '../../core/result.ts'
import type { NewObserved } from '../../store/repositories/intel.ts'
import { MAX_URL } from '../url/absolute.ts'
import { urlRef } from '../url/hash.ts'
import type { SenderQuery } from '../verdict.ts'

/** Checks of what devices send. Shapes in docs/intelligence/api.md. */

export const MAX_ITEMS = 1000
const MAX_HOST = 512
const MAX_NAMES = 20

type Json = Readonly<Record<string, unknown>>
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)
const isText = (v: unknown, max: number): v is string => typeof v === 'string' && v !== '' && v.length <= max
const REF = /^[0-9a-f]{32}$/
const EMAIL_ID = /^[A-Za-z0-9-]{1,64}$/

/** `{org_id, model, version, type}`; only the organisation is kept. */
export const readRegistrationBody = (body: unknown): Result<{ readonly orgId: string }> => {
  if (!isObject(body)) return fail('The body is not a JSON object.')
  for (const name of ['org_id', 'model', 'version', 'type'])
    if (!isText(body[name], 128)) return fail(`${name} must be a text of 1 to 128 characters.`)
  return ok({ orgId: body['org_id'] as string })
}

/** `{urls: [{email_id, url} | {email_id, ref, expressions, index}]}` */
export const readSubmissions = (body: unknown): Result<readonly NewObserved[]> => {
  const items = isObject(body) ? body['urls'] : undefined
  if (!Array.isArray(items) || items.length > MAX_ITEMS)
    return fail(`urls must be a list of at most ${MAX_ITEMS} objects {email_id, url}.`)
  const out: NewObserved[] = []
  for (const item of items as readonly unknown[]) {
    if (!isObject(item)) return fail(`urls must be a list of at most ${MAX_ITEMS} objects {email_id, url}.`)
    const emailId = item['email_id']
    if (typeof emailId !== 'string' || !EMAIL_ID.test(emailId)) return fail('email_id must be a UUID.')
    const { url, ref } = item
    if (url === undefined && isText(ref, 64)) {
      const keys = readKeys(item)
      if (!REF.test(ref) || keys === null) return fail(HASHED)
      out.push({ emailId, url: null, ref, keys })
    } else if (isText(url, MAX_URL)) out.push({ emailId, url, ref: null, keys: null })
    else return fail(`url must be a text of 1 to ${MAX_URL} characters.`)
  }
  return ok(out)
}

const EXPRESSION = /^[0-9a-f]{16}$/
const MAX_EXPRESSIONS = 200
const HASHED =
  `a URL without its text needs ref (32 hexadecimal digits), expressions (1 to ${MAX_EXPRESSIONS} texts of 16 hexadecimal ` +
  'digits, narrowest first) and index (positions in expressions).'

const readKeys = ({ expressions, index }: Json): NonNullable<NewObserved['keys']> | null => {
  if (!Array.isArray(expressions) || expressions.length < 1 || expressions.length > MAX_EXPRESSIONS) return null
  if (!expressions.every((e) => typeof e === 'string' && EXPRESSION.test(e))) return null
  const count = expressions.length
  if (!Array.isArray(index) || index.length < 1 || index.length > count) return null
  if (!index.every((i) => Number.isInteger(i) && i >= 0 && i < count)) return null
  return {
    hashes: (expressions as readonly string[]).map((e) => BigInt.asIntN(64, BigInt(`0x${e}`))),
    index: index as readonly number[],
  }
}

/** `{retros: [{email_id, value}]}`: a value is a URL as found, or its `ref`. */
export const readCauseKeys = (
  body: unknown,
): Result<readonly { readonly emailId: string; readonly value: string; readonly ref: string }[]> => {
  const items = isObject(body) ? body['retros'] : undefined
  const wrong = fail(`retros must be a list of at most ${MAX_ITEMS} objects {email_id, value}.`)
  if (!Array.isArray(items) || items.length > MAX_ITEMS) return wrong
  const out: { emailId: string; value: string; ref: string }[] = []
  for (const item of items as readonly unknown[]) {
    if (!isObject(item) || !isText(item['value'], MAX_URL) || !isText(item['email_id'], 64)) return wrong
    const value = item['value']
    out.push({ emailId: item['email_id'], value, ref: REF.test(value) ? value : urlRef(value) })
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

const MAX_PREFIXES = 8192

/** `{prefixes: ["8 hexadecimal digits"]}` */
export const readPrefixes = (body: unknown): Result<readonly number[]> => {
  const list = isObject(body) ? body['prefixes'] : undefined
  return Array.isArray(list) &&
    list.length <= MAX_PREFIXES &&
    list.every((p) => typeof p === 'string' && /^[0-9a-f]{8}$/.test(p))
    ? ok((list as readonly string[]).map((p) => parseInt(p, 16)))
    : fail(`prefixes must be a list of at most ${MAX_PREFIXES} texts of 8 hexadecimal digits.`)
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
