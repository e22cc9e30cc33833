import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { readProxyHeader } from '../mail/smtp/proxy-protocol.ts'

const DEADLINE_MS = 5000

const read = async (socket: Socket, signal: AbortSignal): Promise<string | null> =>
  await new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const leave = (): void => {
      socket.pause()
      socket.removeListener('data', take)
      socket.removeListener('close', gone)
    }
    const gone = (): void => {
      leave()
      reject(new Error('the balancer closed the connection'))
    }
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      const header = readProxyHeader(bytes)
      if (header.kind === 'incomplete') return
      leave()
      if (header.kind === 'invalid') return reject(new Error('there is no PROXY header'))
      // What the client said already is the session's.
      if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
      resolve(header.address)
    }
    socket.on('data', take)
    socket.on('close', gone)
    signal.addEventListener('abort', gone, { once: true })
    socket.resume()
  })

/** The client's address as a trusted balancer names it first; null = the balancer speaks for itself. Rejects without a header. */
export const takeProxyHeader = async (socket: Socket, clock: Clock): Promise<string | null> =>
  await withDeadline(clock, DEADLINE_MS, new AbortController().signal, (signal) => read(socket, signal))
