import { Resolver, promises } from 'node:dns'
import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { Fault, errorText } from '../../core/errors.ts'
import { connectReason } from './connect-reason.ts'
import type { DnsAnswer, DnsType, NetworkTools } from '../../services/network.ts'

const CONNECT_TIMEOUT_MS = 30_000
const DNS_TIMEOUT_MS = 5000
const DNS_TRIES = 2

/** The operator's `telnet` and `nslookup` on the real network. */
export const networkTools = (
  options: {
    /** The name servers that answer for a name, at the moment of the question; none = the machine's. */
    readonly servers?: (name: string) => readonly string[]
  } = {},
): NetworkTools => ({
  resolve: (name, type, signal) => resolveName(name, type, signal, options.servers?.(name) ?? []),
  connect: (host, port, signal, localAddress) => openConnection(host, port, signal, localAddress),
})

const resolveName = async (
  name: string,
  type: DnsType,
  signal: AbortSignal,
  servers: readonly string[],
): Promise<readonly DnsAnswer[]> => {
  signal.throwIfAborted()
  const dns = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES })
  if (servers.length > 0) dns.setServers([...servers])
  const cancel = (): void => dns.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await ask(dns, name, type)
  } catch (error) {
    signal.throwIfAborted()
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENODATA' || code === 'ENOTFOUND') return []
    if (code === 'ETIMEOUT') throw new Fault('TIMED_OUT', `No name server answered for ${name}.`, { cause: error })
    throw new Fault('UPSTREAM_UNAVAILABLE', `The name server failed for ${name} (${code || errorText(error)}).`, {
      cause: error,
    })
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** c-ares gives a time to live only with addresses; the other types show none rather than a made-up one. */
const ask = async (dns: Resolver, name: string, type: DnsType): Promise<readonly DnsAnswer[]> => {
  const plain = (value: string): DnsAnswer => ({ type, value, ttlSeconds: null })
  const call = <T>(method: (name: string, done: (error: Error | null, answer: T) => void) => void): Promise<T> =>
    promisify(method.bind(dns))(name)
  switch (type) {
    case 'A':
    case 'AAAA': {
      const family = type === 'A' ? dns.resolve4.bind(dns) : dns.resolve6.bind(dns)
      const records = await new Promise<readonly { readonly address: string; readonly ttl: number }[]>(
        (done, failed) => {
          family(name, { ttl: true }, (error, found) => (error === null ? done(found) : failed(error)))
        },
      )
      return records.map(({ address, ttl }) => ({ type, value: address, ttlSeconds: ttl }))
    }
    case 'MX':
      return (await call(dns.resolveMx))
        .sort((a, b) => a.priority - b.priority)
        .map(({ exchange, priority }) => ({ type, value: exchange, preference: priority, ttlSeconds: null }))
    case 'CNAME':
      return (await call(dns.resolveCname)).map(plain)
    case 'NS':
      return (await call(dns.resolveNs)).map(plain)
    case 'TXT':
      return (await call(dns.resolveTxt)).map((chunks) => plain(chunks.join('')))
    case 'SOA': {
      const { nsname, hostmaster, serial } = await call(dns.resolveSoa)
      return [plain(`${nsname} ${hostmaster} ${serial}`)]
    }
    case 'PTR':
      return (await (/^[\d.]+$|:/.test(name) ? call(dns.reverse) : call(dns.resolvePtr))).map(plain)
  }
}

const openConnection = async (
  host: string,
  port: number,
  signal: AbortSignal,
  localAddress?: string,
): Promise<{ readonly socket: Socket; readonly address: string }> => {
  signal.throwIfAborted()
  const found = await promises
    .lookup(host, localAddress === undefined ? {} : { family: isIP(localAddress) })
    .catch((error: unknown) => {
      throw new Fault('UPSTREAM_UNAVAILABLE', `The name ${host} has no address.`, { cause: error })
    })
  const { address } = found
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, ...(localAddress === undefined ? {} : { localAddress }) })
    const end = (error: unknown): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      socket.destroy()
      reject(error instanceof Error ? error : new Error(errorText(error)))
    }
    const aborted = (): void => end(signal.reason)
    const timer = setTimeout(() => {
      end(new Fault('TIMED_OUT', `${address} port ${port} did not answer.`))
    }, CONNECT_TIMEOUT_MS)
    signal.addEventListener('abort', aborted, { once: true })
    socket.once('error', (error) => {
      end(new Fault('UPSTREAM_UNAVAILABLE', `${address} port ${port}: ${connectReason(error)}.`, { cause: error }))
    })
    socket.once('connect', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      socket.removeAllListeners('error')
      resolve({ socket, address })
    })
  })
}
