/** What the intelligence service can be asked: the routes are made from this table, and so is the OpenAPI document. */

type Schema = Readonly<Record<string, unknown>>

export type OperationId =
  | 'registerDevice'
  | 'readRetrospections'
  | 'submitUrls'
  | 'readCauses'
  | 'lookUpUrls'
  | 'lookUpHashes'
  | 'lookUpSender'
  | 'readTaxonomy'
  | 'readHealth'
  | 'readOpenApi'

export interface Operation {
  readonly id: OperationId
  readonly method: 'get' | 'post'
  /** `:serial` is a parameter. */
  readonly path: string
  readonly summary: string
  readonly credential: 'device secret' | 'token' | 'none'
  readonly query?: Readonly<Record<string, Schema>>
  readonly body?: Schema
  readonly status: 200 | 201 | 202
  readonly answer: Schema
}

const text = (maxLength: number): Schema => ({ type: 'string', minLength: 1, maxLength })
const digits = (count: number): Schema => ({ type: 'string', pattern: `^[0-9a-f]{${count}}$` })
const list = (items: Schema, maxItems = 1000): Schema => ({ type: 'array', items, maxItems })
const nullable = (type: string): Schema => ({ type: [type, 'null'] })
const object = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

const time: Schema = { type: 'string', format: 'date-time' }
const integer: Schema = { type: 'integer' }
const taxonomyTag = object({ taxonomy_id: integer, taxonomy_entry_id: integer, tag_type_id: integer })
const opinion = {
  kind: { enum: ['url', 'domain'] },
  level: text(16),
  category: nullable('string'),
  ageDays: nullable('integer'),
  source: text(80),
  reason: { type: 'string' },
  asOf: time,
  by: { type: 'string' },
}
const named = object({ indicator: text(8192), ...opinion }, ['by'])
const emailId: Schema = { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$' }
const url = text(8192)
const host = { type: ['string', 'null'], maxLength: 512 }

export const OPERATIONS: readonly Operation[] = [
  {
    id: 'registerDevice',
    method: 'post',
    path: '/v1/register/device/:serial',
    summary: 'Get a token for 24 hours.',
    credential: 'device secret',
    body: object({ org_id: text(128), model: text(128), version: text(128), type: text(128) }),
    status: 201,
    answer: object({ token: text(64), region_uri: text(512), expires_at: time }),
  },
  {
    id: 'readRetrospections',
    method: 'get',
    path: '/v1/retro/device/:serial',
    summary: 'Entries of watched URLs whose verdict turned or turned back, oldest first; {} when there are none.',
    credential: 'token',
    query: { since: time, page_size: { type: 'integer', minimum: 1, maximum: 1000, default: 10 } },
    status: 200,
    answer: object(
      {
        retros: {
          type: 'array',
          items: object({
            observable: object({ observable_type: { enum: ['url', 'url_ref'] }, value: url }),
            context_tags: list(taxonomyTag),
            email_id: emailId,
            timestamp: time,
            org_id: text(128),
            verdict: taxonomyTag,
            taxonomy_map_version: integer,
          }),
        },
        more: { type: 'boolean' },
      },
      ['retros', 'more'],
    ),
  },
  {
    id: 'submitUrls',
    method: 'post',
    path: '/v1/retro/device/:serial/urls',
    summary: 'Hand URLs over for watching, as found or as hashes of their look-up expressions.',
    credential: 'token',
    body: object({
      urls: list({
        oneOf: [
          object({ email_id: emailId, url }),
          object({
            email_id: emailId,
            ref: digits(32),
            expressions: { ...list(digits(16), 200), minItems: 1 },
            index: { ...list({ type: 'integer', minimum: 0 }, 200), minItems: 1 },
          }),
        ],
      }),
    }),
    status: 202,
    answer: object({ accepted: integer }),
  },
  {
    id: 'readCauses',
    method: 'post',
    path: '/v1/retro/device/:serial/causes',
    summary: 'Which opinions turned these entries.',
    credential: 'token',
    body: object({ retros: list(object({ email_id: emailId, value: url })) }),
    status: 200,
    answer: object({
      causes: list(
        object({
          email_id: emailId,
          value: url,
          source: { type: 'string' },
          indicator: { type: 'string' },
          reason: { type: 'string' },
          as_of: time,
        }),
      ),
    }),
  },
  {
    id: 'lookUpUrls',
    method: 'post',
    path: '/v1/lookup/urls',
    summary: 'Verdicts of URLs.',
    credential: 'token',
    body: object({ urls: list(url) }),
    status: 200,
    answer: object({
      taxonomy_map_version: integer,
      results: list(
        object({
          url,
          level: text(16),
          score: nullable('number'),
          category: nullable('string'),
          because: { anyOf: [named, { type: 'null' }] },
        }),
      ),
    }),
  },
  {
    id: 'lookUpHashes',
    method: 'post',
    path: '/v1/lookup/hashes',
    summary: 'Opinions of expressions whose SHA-256 begins with a prefix.',
    credential: 'token',
    body: object({ prefixes: list(digits(8), 8192) }),
    status: 200,
    answer: object({
      taxonomy_map_version: integer,
      matches: list(object({ hash: digits(64), opinion: object(opinion, ['by']) }), 20_000),
    }),
  },
  {
    id: 'lookUpSender',
    method: 'post',
    path: '/v1/lookup/sender',
    summary: "Verdict of a sender's domains.",
    credential: 'token',
    body: object(
      {
        remoteAddress: text(64),
        reverseHost: host,
        helo: host,
        envelopeFrom: host,
        headerFrom: host,
        replyTo: host,
        spf: text(32),
        dkim: text(32),
        dmarc: text(32),
        userParts: list(text(1024), 20),
        displayNames: list(text(1024), 20),
      },
      ['spf', 'dkim', 'dmarc', 'userParts', 'displayNames'],
    ),
    status: 200,
    answer: object({
      taxonomy_map_version: integer,
      result: object({
        level: text(16),
        category: nullable('string'),
        suspected: list(text(512)),
        ageDays: nullable('integer'),
        ageDomain: nullable('string'),
        because: list(named),
      }),
    }),
  },
  {
    id: 'readTaxonomy',
    method: 'get',
    path: '/v1/taxonomy',
    summary: 'Names of the ids.',
    credential: 'token',
    status: 200,
    answer: object({ version: integer, catalogs: { type: 'object' } }),
  },
  {
    id: 'readHealth',
    method: 'get',
    path: '/v1/health',
    summary: 'Whether the service answers from its store.',
    credential: 'none',
    status: 200,
    answer: object({ status: { const: 'ok' } }),
  },
  {
    id: 'readOpenApi',
    method: 'get',
    path: '/v1/openapi.json',
    summary: 'This document.',
    credential: 'none',
    status: 200,
    answer: { type: 'object' },
  },
]

const message = (description: string): Schema => ({
  description,
  content: { 'application/json': { schema: object({ message: { type: 'string' } }) } },
})

const operationObject = (o: Operation): Schema => ({
  operationId: o.id,
  summary: o.summary,
  security: o.credential === 'none' ? [] : [{ [o.credential === 'token' ? 'token' : 'deviceSecret']: [] }],
  parameters: [
    ...(o.path.includes(':serial')
      ? [{ name: 'serial', in: 'path', required: true, schema: { type: 'string', pattern: '^[A-Za-z0-9-]{4,64}$' } }]
      : []),
    ...Object.entries(o.query ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      required: !('default' in schema),
      schema,
    })),
  ],
  ...(o.body === undefined
    ? {}
    : { requestBody: { required: true, content: { 'application/json': { schema: o.body } } } }),
  responses: {
    [o.status]: { description: 'Done.', content: { 'application/json': { schema: o.answer } } },
    ...(o.body === undefined && o.query === undefined ? {} : { 400: message('What is wrong with the request.') }),
    ...(o.credential === 'token'
      ? {
          401: message('The token is not known.'),
          403: message("The token has ended, or it is another device's serial number."),
          429: message('Too many requests; Retry-After says how long to wait.'),
        }
      : {}),
    ...(o.credential === 'device secret'
      ? {
          403: message('No such device, or another secret.'),
          429: message('Too many requests; Retry-After says how long to wait.'),
        }
      : {}),
  },
})

export const openApi = (): Schema => {
  const paths: Record<string, Record<string, Schema>> = {}
  for (const o of OPERATIONS) {
    const path = o.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [o.method]: operationObject(o) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lychgate intelligence service',
      version: '1',
      description: 'docs/intelligence/api.md says what the requests mean.',
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'From registerDevice.' },
        deviceSecret: { type: 'http', scheme: 'bearer', description: "From 'lychgate intel enrol SERIAL'." },
      },
    },
  }
}
