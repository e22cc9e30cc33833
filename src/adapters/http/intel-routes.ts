import { Hono } from 'hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { UserError } from '../../core/errors.ts'
import type { Result } from '../../core/result.ts'
import type { Device } from '../../intel/service/devices.ts'
import {
  readCauseKeys,
  readPrefixes,
  readRegistrationBody,
  readRetroQuery,
  readSenderQuery,
  readSubmissions,
  readUrls,
} from '../../intel/service/requests.ts'
import type { ServiceMetrics } from '../../intel/service/metrics.ts'
import type { createRequestRates } from '../../intel/service/request-rates.ts'
import type { IntelService } from '../../intel/service/service.ts'
import { MALICIOUS, TAXONOMY, TAXONOMY_VERSION, WITHDRAWN } from '../../intel/taxonomy.ts'
import type { StoredRetro } from '../../store/repositories/intel.ts'
import { OPERATIONS, openApi } from './intel-operations.ts'
import type { OperationId } from './intel-operations.ts'

const MAX_BODY = 10 * 1024 * 1024

const bearer = (c: Context): string =>
  /^Bearer ([\w.~+/=-]{1,512})$/.exec(c.req.header('authorization') ?? '')?.[1] ?? ''

/** A retrospection in the reference's fields and order (reference/url-retrospective-verdict.txt). */
const retroObject = (retro: StoredRetro, orgId: string) => ({
  observable:
    retro.url === null
      ? { observable_type: 'url_ref', value: retro.ref }
      : { observable_type: 'url', value: retro.url },
  context_tags: [retro.withdrawn ? WITHDRAWN : MALICIOUS],
  email_id: retro.emailId,
  timestamp: `${retro.at.toISOString().slice(0, 19)}Z`,
  org_id: orgId,
  verdict: retro.withdrawn ? WITHDRAWN : MALICIOUS,
  taxonomy_map_version: TAXONOMY_VERSION,
})

/** A refusal, answered as `{"message": …}`. */
class Refused extends Error {
  readonly status: 400 | 401 | 403 | 429
  readonly retryAfter: number
  constructor(status: Refused['status'], message: string, retryAfter = 0) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}

const valid = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Refused(400, result.error)
  return result.value
}

/**
 * The API of docs/intelligence/api.md. There is no way to change a verdict here: that is for the operator of the
 * service, on its own machine.
 */
export const intelRoutes = (
  service: IntelService,
  regionUri: () => string,
  watch: {
    readonly rates?: ReturnType<typeof createRequestRates>
    readonly metrics?: Pick<ServiceMetrics, 'answered'>
    readonly monotonic?: () => number
  } = {},
): Hono => {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: MAX_BODY, onError: (c) => c.json({ message: 'The body is too large' }, 413) }))
  app.notFound((c) => c.json({ message: 'Not Found' }, 404))
  app.onError((error, c) => {
    if (error instanceof Refused) {
      if (error.retryAfter > 0) c.header('retry-after', String(error.retryAfter))
      return c.json({ message: error.message }, error.status)
    }
    if (error instanceof UserError) return c.json({ message: error.message }, 422)
    return c.json({ message: 'Internal Server Error' }, 500)
  })

  const within = (serial: string): void => {
    const wait = watch.rates?.take(serial) ?? 0
    if (wait > 0) throw new Refused(429, 'Too Many Requests', wait)
  }
  const device = (c: Context): Device => {
    const who = service.devices.authenticate(bearer(c))
    if (who === 'expired') throw new Refused(403, 'Token Expired')
    if (who === 'unknown') throw new Refused(401, 'Token Invalid')
    within(who.serial)
    return who
  }
  /** A device reads and submits only as itself. */
  const itself = (c: Context): Device => {
    const who = device(c)
    if (who.serial !== c.req.param('serial')) throw new Refused(403, 'Forbidden')
    return who
  }
  const json = async (c: Context): Promise<unknown> => {
    try {
      return await c.req.json()
    } catch {
      throw new Refused(400, 'The body is not JSON.')
    }
  }

  const handlers: Readonly<Record<OperationId, (c: Context) => Response | Promise<Response>>> = {
    registerDevice: async (c) => {
      const { orgId } = valid(readRegistrationBody(await json(c)))
      const serial = c.req.param('serial') ?? ''
      // Only who has the secret uses up the device's share.
      if (service.devices.holds(serial, bearer(c))) within(serial)
      const issued = await service.devices.issue(serial, bearer(c), orgId)
      if (issued === null) throw new Refused(403, 'Device Not Enrolled')
      return c.json(
        { token: issued.token, region_uri: regionUri(), expires_at: `${issued.expiresAt.toISOString().slice(0, 19)}Z` },
        201,
      )
    },
    readRetrospections: (c) => {
      const { serial, orgId } = itself(c)
      const { since, pageSize } = valid(readRetroQuery(c.req.query('since'), c.req.query('page_size')))
      const { retros, more } = service.retro.page(serial, since, pageSize)
      return c.json(retros.length === 0 ? {} : { retros: retros.map((r) => retroObject(r, orgId)), more })
    },
    submitUrls: async (c) => {
      const { serial } = itself(c)
      const items = valid(readSubmissions(await json(c)))
      return c.json({ accepted: await service.retro.submit(serial, items) }, 202)
    },
    readCauses: async (c) => {
      const { serial } = itself(c)
      const keys = valid(readCauseKeys(await json(c)))
      const causes = service.retro.causes(serial, keys)
      return c.json({
        causes: keys.flatMap(({ emailId, value }, n) => {
          const cause = causes[n]
          if (!cause) return []
          const { source, indicator, reason, asOf } = cause
          return [{ email_id: emailId, value, source, indicator, reason, as_of: `${asOf.toISOString().slice(0, 19)}Z` }]
        }),
      })
    },
    lookUpUrls: async (c) => {
      device(c)
      const urls = valid(readUrls(await json(c)))
      const verdicts = await service.lookup.urls(urls, c.req.raw.signal)
      return c.json({ taxonomy_map_version: TAXONOMY_VERSION, results: urls.map((url) => verdicts.get(url)) })
    },
    lookUpHashes: async (c) => {
      device(c)
      const prefixes = valid(readPrefixes(await json(c)))
      const matches = await service.matches(prefixes, c.req.raw.signal)
      return c.json({ taxonomy_map_version: TAXONOMY_VERSION, matches })
    },
    lookUpSender: async (c) => {
      device(c)
      const query = valid(readSenderQuery(await json(c)))
      const result = await service.lookup.sender(query, c.req.raw.signal)
      return c.json({ taxonomy_map_version: TAXONOMY_VERSION, result })
    },
    readTaxonomy: (c) => {
      device(c)
      return c.json(TAXONOMY)
    },
    readHealth: (c) => {
      // An answer from the store, not from memory: a database that cannot be read is no health.
      service.devices.list()
      return c.json({ status: 'ok' })
    },
    readOpenApi: (c) => c.json(openApi()),
  }
  for (const { id, method, path } of OPERATIONS)
    app[method](path, async (c) => {
      const start = watch.monotonic?.() ?? 0
      const told = (status: number): void =>
        watch.metrics?.answered(id, status, ((watch.monotonic?.() ?? 0) - start) / 1000)
      try {
        const answer = await handlers[id](c)
        told(answer.status)
        return answer
      } catch (error) {
        told(error instanceof Refused ? error.status : error instanceof UserError ? 422 : 500)
        throw error
      }
    })
  return app
}
