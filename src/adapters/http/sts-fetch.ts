import type { Agent } from 'undici'
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { Fault, errorText } from '../../core/errors.ts'
import type { Resolver } from '../../core/resolver.ts'
import type { StsFetch } from '../../services/sts-policies.ts'
import { publicLookup } from './public-only.ts'
import type { AddressRule } from './public-only.ts'

export interface StsFetchOptions {
  readonly clock: Clock
  readonly resolver: Resolver
  readonly userAgent: string
  /** PEM of the only CA that is believed; the system's when it is missing. */
  readonly ca?: string
  /** 443 where it is missing. */
  readonly port?: number
  /** Which addresses may be connected to; public ones when it is missing. */
  readonly isAllowed?: AddressRule
}

const CONNECT_MS = 10_000
const SILENCE_MS = 20_000
/** RFC 8461 §3.3 suggests both. */
const DEADLINE_MS = 60_000
const MAX_BYTES = 65_536

const readAll = async (body: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of body) {
    total += chunk.length
    if (total > MAX_BYTES) throw new Error(`the policy is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const isPlainText = (type: string | string[] | undefined): boolean =>
  typeof type === 'string' && /^text\/plain[\t ]*(?:;|$)/i.test(type)

/** Fetches MTA-STS policies (RFC 8461 §3.3): from `mta-sts.<domain>` with a certificate for it, and from nowhere else. */
export const createStsFetch = (options: StsFetchOptions): StsFetch & { close(): Promise<void> } => {
  const { clock, resolver, userAgent, ca, port = 443, isAllowed } = options
  let agent: Promise<Agent> | null = null
  const makeAgent = async (): Promise<Agent> => {
    const { Agent: UndiciAgent } = await import('undici')
    return new UndiciAgent({
      connect: {
        timeout: CONNECT_MS,
        lookup: publicLookup(resolver, isAllowed),
        ...(ca === undefined ? {} : { ca }),
      },
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      maxHeaderSize: 16_384,
      connections: 2,
    })
  }
  const get = async (domain: string, signal: AbortSignal): Promise<string> => {
    const { request } = await import('undici')
    const answer = await request(`https://mta-sts.${domain}:${port}/.well-known/mta-sts.txt`, {
      dispatcher: await (agent ??= makeAgent()),
      headers: { 'user-agent': userAgent, accept: 'text/plain' },
      signal,
    })
    const refused =
      answer.statusCode !== 200
        ? `the answer is ${answer.statusCode}, not 200`
        : isPlainText(answer.headers['content-type'])
          ? null
          : 'the answer is not text/plain'
    if (refused === null) return await readAll(answer.body as AsyncIterable<Buffer>)
    answer.body.on('error', () => undefined).destroy()
    throw new Error(refused)
  }
  return {
    get: async (domain, signal) => {
      try {
        return await withDeadline(clock, DEADLINE_MS, signal, (stop) => get(domain, stop))
      } catch (error) {
        signal.throwIfAborted()
        const { code } = error as { code?: string }
        throw new Fault(
          code === 'TIMED_OUT' ? 'TIMED_OUT' : 'UPSTREAM_UNAVAILABLE',
          `mta-sts.${domain}: ${errorText(error) || (code ?? 'unknown error')}`,
          { cause: error },
        )
      }
    },
    close: async () => {
      await (await agent)?.destroy()
    },
  }
}
