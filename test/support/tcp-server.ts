import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A server on a free port of loopback; closing it ends its connections. */
export const tcpServer = async (serve: (socket: Socket) => void) => {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    /** Open now. */
    get open() {
      return sockets.size
    },
    /** Ever. */
    get connections() {
      return connections
    },
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
