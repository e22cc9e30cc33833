import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A loopback port that nobody listens on now. */
export const freePort = async (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Whether somebody accepts connections there. */
export const answers = async (target: { readonly port: number } | { readonly path: string }): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect('path' in target ? target : { ...target, host: '127.0.0.1' })
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => done(false))
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
