import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { errorText } from '../core/errors.ts'
import type { BoundListener } from '../mail/smtp/bound-listener.ts'

const BACKLOG = 1024

/** Sockets are paused until somebody wants their bytes. Rejects when it cannot listen there. */
export const bind = async (listener: BoundListener, onSocket: (socket: Socket) => void): Promise<Server> => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true }, onSocket)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: listener.address, port: listener.port, backlog: BACKLOG }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  return server
}

/** For the operator: what cannot be bound, why, and what to do. */
export const bindProblem = ({ name, address, port }: BoundListener, error: unknown): string => {
  const code = (error as { code?: string }).code
  const why =
    code === 'EADDRINUSE'
      ? 'the port is in use by another program'
      : code === 'EACCES'
        ? 'a port below 1024 can only be bound by root, which this process is not (any more): restart Lychgate as root, or choose a port from 1024 on'
        : code === 'EADDRNOTAVAIL'
          ? 'the address is not one of this machine'
          : errorText(error)
  return `Listener ${name} cannot listen on ${address} port ${port}: ${why}.`
}
