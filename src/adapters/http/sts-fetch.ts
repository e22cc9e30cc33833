import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { Fault, errorText } from '../../core/errors.ts'
import type { StsFetch } from '../../services/sts-policies.ts'
import { createPublicAgent } from './public-agent.ts'
import type { PublicAgentOptions } from './public-agent.ts'
import { readBody } from './read-body.ts'

export interface StsFetchOptions extends PublicAgentOptions {
  readonly clock: Clock
  readonly userAgent: string
  /** 443 where it is missing. */
  readonly port?: number
}

const LIMITS = { connectMs: 10_000, silenceMs: 20_000, connections: 2 }
/** RFC 8461 §3.3 suggests both. */
const DEADLINE_MS = 60_000
const MAX_BYTES = 65_536

const tooLarge = (): Error => new Error(`the policy is larger than ${MAX_BYTES} bytes`)

const isPlainText = (type: string | string[] | undefined): boolean =>
  typeof type === 'string' && /^text\/plain[\t ]*(?:;|$)/i.test(type)

/** Fetches MTA-STS policies (RFC 8461 §3.3): from `mta-sts.<domain>` with a certificate for it, and from nowhere else. */
export const createStsFetch = (options: StsFetchOptions): StsFetch & { close(): Promise<void> } => {
  const { clock, userAgent, port = 443 } = options
  const agent = createPublicAgent(options, LIMITS)
  const get = async (domain: string, signal: AbortSignal): Promise<string> => {
    const { request } = await import('undici')
    const answer = await request(`https://mta-sts.${domain}:${port}/.well-known/mta-sts.txt`, {
      dispatcher: await agent.get(),
      headers: { 'user-agent': userAgent, accept: 'text/plain' },
      signal,
    })
    const refused =
      answer.statusCode !== 200
        ? `the answer is ${answer.statusCode}, not 200`
        : isPlainText(answer.headers['content-type'])
          ? null
          : 'the answer is not text/plain'
    if (refused === null) return (await readBody(answer.body, MAX_BYTES, tooLarge)).toString('utf8')
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
    close: agent.close,
  }
}
