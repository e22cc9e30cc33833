import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { smtpProbe } from '../../../../src/adapters/net/smtp-probe.ts'

it('a test of an SMTP server leaves from the address that it is given', async () => {
  const seen: (string | undefined)[] = []
  const server = createServer((socket) => {
    seen.push(socket.remoteAddress)
    socket.on('error', () => undefined)
    socket.end('220 mail.example.net\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  for (const source of ['127.0.0.2', null]) {
    const probe = await smtpProbe()('127.0.0.1', port, source, new AbortController().signal)
    expect(probe.greeting.code).toBe(220)
    probe.close()
  }
  expect(seen).toEqual(['127.0.0.2', '127.0.0.1'])
  await new Promise((resolve) => server.close(resolve))
})
