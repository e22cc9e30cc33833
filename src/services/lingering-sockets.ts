import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { startTimer } from '../core/deadline.ts'

const LINGER_MS = 5000
/** They are counted by no limit of a listener any more. */
const MOST = 500

/**
 * Sockets whose last reply is out and whose client has not closed yet. What it still sends is thrown away, since to close at
 * once would reset the connection and take the reply with it; but it ends after five seconds, whatever the client does.
 */
export const createLingeringSockets = (clock: Clock, most: number = MOST) => {
  const sockets = new Set<Socket>()
  return {
    add: (socket: Socket): void => {
      if (socket.destroyed) return
      sockets.add(socket)
      const cancel = startTimer(clock, LINGER_MS, () => socket.destroy())
      socket.once('close', () => {
        cancel()
        sockets.delete(socket)
      })
      socket.resume()
      const [oldest] = sockets
      if (sockets.size > most) oldest?.destroy()
    },
  }
}
export type LingeringSockets = ReturnType<typeof createLingeringSockets>
