import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { receiving } from '../../src/config/sections/receiving.ts'
import { mailPath } from '../support/mail-path.ts'
import type { MailPath } from '../support/mail-path.ts'

const SLOW = process.env['LYCHGATE_NIGHTLY'] === undefined ? 2000 : 5000
const PER_ADDRESS = 20

/** What the server says first, and how long that took. */
const answered = async (port: number, localAddress: string): Promise<{ text: string; ms: number; socket: Socket }> => {
  const begin = performance.now()
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  return await new Promise((resolve, reject) => {
    socket.once('data', (d: Buffer) => resolve({ text: d.toString('latin1'), ms: performance.now() - begin, socket }))
    socket.once('error', reject)
  })
}

describe(`${SLOW} slow connections`, () => {
  let path: MailPath
  const slow: Socket[] = []
  beforeAll(async () => {
    path = await mailPath({ listener: { maxConcurrency: 20_000, maxConcurrencyPerAddress: PER_ADDRESS } })
    path.config.set(receiving, { ...receiving.defaults, maxConcurrency: 20_000 })
    await path.smtp.start(path.config, new AbortController().signal)
    for (let i = 0; i < SLOW; i += PER_ADDRESS) {
      const address = `127.1.${Math.floor(i / PER_ADDRESS / 200)}.${1 + (Math.floor(i / PER_ADDRESS) % 200)}`
      const opened = await Promise.all(Array.from({ length: PER_ADDRESS }, () => answered(path.port(), address)))
      for (const { text, socket } of opened) {
        expect(text).toMatch(/^220 /)
        socket.on('error', () => undefined)
        // A command that never comes to its end.
        socket.write('E')
        slow.push(socket)
      }
    }
  }, 60_000)
  afterAll(async () => {
    for (const socket of slow) socket.destroy()
    await path.stop()
  })

  it('are all held', () => {
    expect(path.of('connection.opened').length - path.of('connection.closed').length).toBe(SLOW)
  })

  it('leave a client from a fresh address an answer within two seconds, and a message accepted', async () => {
    const { text, ms, socket } = await answered(path.port(), '127.9.9.9')
    expect(text).toMatch(/^220 /)
    expect(ms).toBeLessThan(2000)
    socket.write('EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n')
    await path.until('connection.closed')
    expect(path.accepted).toHaveLength(1)
  })

  it('count against their own address: one more from there gets 421', async () => {
    const { text, ms, socket } = await answered(path.port(), '127.1.0.1')
    socket.destroy()
    expect(text).toMatch(/^421 4\.7\.0 /)
    expect(ms).toBeLessThan(2000)
  })
})
