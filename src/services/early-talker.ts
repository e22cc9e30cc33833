import { setImmediate } from 'node:timers/promises'
import type { Socket } from 'node:net'

/**
 * What a client said before it was greeted; empty = it waited, as RFC 5321 §3.1 asks. Nothing is waited for: a turn of
 * the event loop hands over what the kernel holds already, the time of the look-ups about the client included.
 */
export const saidEarly = async (socket: Socket): Promise<Buffer> => {
  const chunks: Buffer[] = []
  const take = (bytes: Buffer): void => {
    chunks.push(bytes)
    socket.pause()
  }
  socket.on('data', take)
  socket.resume()
  // The first turn asks the kernel, the second has its answer.
  await setImmediate()
  await setImmediate()
  socket.pause()
  socket.removeListener('data', take)
  return Buffer.concat(chunks)
}
