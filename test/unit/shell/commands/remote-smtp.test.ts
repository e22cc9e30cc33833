import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SMTPServer } from 'smtp-server'
import { makeCertificate } from '../../../../src/adapters/crypto/x509.ts'
import { createDiagnostics } from '../../../../src/adapters/net/diagnostics.ts'
import { systemEntropy } from '../../../../src/core/entropy.ts'
import type { DnsAnswer, NetworkTools } from '../../../../src/services/network.ts'
import { REGISTRY } from '../../../../src/shell/registry.ts'
import { runInShell } from '../../../support/shell-harness.ts'

const DAY = 86_400_000
const made = makeCertificate({
  names: ['mail.example.com'],
  from: new Date(Date.now() - DAY),
  until: new Date(Date.now() + DAY),
  serial: systemEntropy.bytes(16),
})
const received: string[] = []
const server = new SMTPServer({
  key: made.key,
  cert: made.cert,
  authOptional: true,
  onRcptTo: (to, _session, done) => done(to.address.startsWith('nobody@') ? new Error('who is that') : null),
  onData: (stream, _session, done) => {
    const parts: Buffer[] = []
    stream.on('data', (bytes: Buffer) => parts.push(bytes))
    stream.on('end', () => {
      received.push(Buffer.concat(parts).toString())
      done()
    })
  },
})
let port = 0
let other: Server
beforeAll(async () => {
  const listening = server.listen(0, '127.0.0.1')
  await new Promise<void>((resolve) => listening.once('listening', resolve))
  port = (listening.address() as AddressInfo).port
  other = createServer((socket) => socket.end('SSH-2.0-Other\r\n')).listen(0, '127.0.0.1')
  await new Promise<void>((resolve) => other.once('listening', resolve))
})
afterAll(() => {
  server.close()
  other.close()
})

const network = {
  resolve: async (name: string, type: string): Promise<readonly DnsAnswer[]> => {
    if (type === 'A' && name.endsWith('example.com')) return [{ type, value: '127.0.0.1', ttlSeconds: 60 }]
    if (type === 'MX' && name === 'example.com')
      return [{ type, value: 'mail.example.com', preference: 10, ttlSeconds: null }]
    return []
  },
} as Partial<NetworkTools> as NetworkTools
const shell = async (answers: readonly string[], authorities: readonly string[] = [made.cert]) => {
  const diagnostics = createDiagnostics({ entropy: systemEntropy }, { authorities })
  const { terminal, status } = await runInShell({
    commands: REGISTRY,
    answers,
    parts: { network, diagnostics },
    batch: {},
  })
  return { text: terminal.transcript(), status }
}

describe('tlsverify', () => {
  it('says that TLS stands and the certificate is the host’s', async () => {
    const { text, status } = await shell([`tlsverify example.com mail.example.com:${port}`])
    expect(text).toContain('Connecting to 127.0.0.1 on port')
    expect(text).toMatch(/TLS connection established: protocol TLSv1\.[23], cipher \S+\./)
    expect(text).toContain('TLS certificate match mail.example.com\nTLS certificate verified.\n')
    expect(text).toContain('TLS connection to 127.0.0.1 succeeded.')
    expect(status).toBe(0)
  })

  it('fails for another name, for a certificate that nobody vouches for, and where no SMTP is spoken', async () => {
    const wrong = await shell([`tlsverify example.org other.example.com:${port}`])
    expect(wrong.text).toContain('The certificate is neither for example.org nor for other.example.com.')
    expect(wrong.status).toBe(1)
    const unknown = await shell([`tlsverify mail.example.com mail.example.com:${port}`], [])
    expect(unknown.text).toMatch(/Certificate verification failed: .*self.signed/i)
    const { port: ssh } = other.address() as AddressInfo
    expect((await shell([`tlsverify mail.example.com 127.0.0.1:${ssh}`])).text).toContain(
      '127.0.0.1 does not speak SMTP.',
    )
  })

  it('says that a name has no address', async () =>
    expect((await shell(['tlsverify nowhere.invalid'])).text).toContain('The name nowhere.invalid has no address.'))
})

describe('smtpping', () => {
  it('speaks up to RCPT TO and sends nothing', async () => {
    const { text, status } = await shell([`smtpping mail.example.com:${port} --to=joe@example.com`])
    expect(text).toContain(
      "Starting SMTP test of host mail.example.com.\nResolved 'mail.example.com' to 127.0.0.1.\n" +
        'Connection to 127.0.0.1 succeeded.\nCommand EHLO succeeded\nCommand MAIL FROM succeeded\nCommand RCPT TO succeeded\n',
    )
    expect(text).toMatch(/Test complete\. {2}Total time elapsed \d+\.\d\d seconds/)
    expect([status, received]).toEqual([0, []])
  })

  it('fails with the words of the host', async () => {
    const { text, status } = await shell([`diagnostic network smtpping 127.0.0.1:${port} --to=nobody@example.com`])
    expect(text).toContain('Command RCPT TO failed: 550 who is that')
    expect(status).toBe(1)
  })

  it('shows a greeting that would act on the terminal, and refuses to go on', async () => {
    const hostile = createServer((socket) => socket.end('554 go \u001b[2Jaway\r\n')).listen(0, '127.0.0.1')
    await new Promise<void>((resolve) => hostile.once('listening', resolve))
    const { text } = await shell([`smtpping 127.0.0.1:${(hostile.address() as AddressInfo).port}`])
    hostile.close()
    expect(text).toContain('The host refuses the connection: 554 go \\x1b[2Jaway')
  })

  it('offers the MX hosts and sends a typed message, dots and all', async () => {
    const typed = [
      'smtpping',
      `example.com:${port}`,
      'y',
      '1',
      '1',
      'y',
      'a@example.com',
      'b@example.com',
      '',
      'Hello',
      '..b',
      '.',
    ]
    const { text } = await shell(typed)
    expect(text).toContain('The domain you entered has MX records.')
    expect(text).toContain('Command message succeeded')
    expect(received.splice(0)[0]).toMatch(
      /^From: a@example\.com\r\nTo: b@example\.com\r\nSubject: Test Message\r\nDate: .*\r\n\r\nHello\r\n\.\.b\r\n$/,
    )
  })
})
