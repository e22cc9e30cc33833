import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptEntry } from '../../src/config/sections/listeners.ts'
import { smtpRoutes } from '../../src/config/sections/smtp-routes.ts'
import { mailPath } from '../support/mail-path.ts'
import type { MailPath } from '../support/mail-path.ts'
import { noPostfix, startPostfix } from '../support/postfix.ts'
import type { Postfix } from '../support/postfix.ts'
import { until } from '../support/processes.ts'
import { scriptedSmtp } from '../support/scripted-smtp.ts'

/** What some server somewhere takes for the end of a message. */
const ENDS: Readonly<Record<string, string>> = {
  'LF.LF': '\n.\n',
  'LF.CRLF': '\n.\r\n',
  'CR.CR': '\r.\r',
  'CRLF.CR': '\r\n.\r',
  'CRLF.LF': '\r\n.\n',
  'CR.CRLF': '\r.\r\n',
  'CRCRLF.CRLF': '\r\r\n.\r\n',
  'CRCRLF.CRCRLF': '\r\r\n.\r\r\n',
  'CRLF.NUL.CRLF': '\r\n.\0\r\n',
  'CRLF NUL.CRLF': '\r\n\0.\r\n',
}
/** Where the end that RFC 5321 knows stands in the sequence, whatever is around it. */
const isRealEnd = (end: string): boolean => end.includes('\r\n.\r\n')

const DOMAIN = 'downstream.example.net'
const OPEN = `EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@${DOMAIN}>\r\nDATA\r\n`
const EVIL = `MAIL FROM:<evil@evil.example>\r\nRCPT TO:<v@${DOMAIN}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx`

/** Speaks the packets with a pause between them, then QUIT; all that the server said. */
const speak = async (port: number, packets: readonly string[]): Promise<string> => {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let said = ''
  socket.on('data', (bytes) => (said += bytes.toString('latin1'))).on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const reaches = async (text: RegExp): Promise<void> =>
    await until(`the server says ${String(text)}`, () => text.test(said) || socket.destroyed)
  await reaches(/^220 /)
  socket.write(OPEN)
  await reaches(/^354 /m)
  for (const packet of packets) {
    socket.write(Buffer.from(packet, 'latin1'))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  socket.write('\r\n.\r\n')
  await reaches(/^354 [^]*^[25]\d\d /m)
  socket.write('QUIT\r\n')
  await closed
  return said
}

describe.each(['reject', 'convert'] as const)(
  'a sequence that ends messages elsewhere (listener: %s)',
  (bareNewlines) => {
    let path: MailPath
    let server: Awaited<ReturnType<typeof scriptedSmtp>>
    beforeAll(async () => {
      server = await scriptedSmtp()
      path = await mailPath({ straight: true, listener: { bareNewlines, recipientAccess: [acceptEntry(DOMAIN)] } })
      path.config.set(smtpRoutes, [{ domain: DOMAIN, hosts: [`127.0.0.1:${server.port}`] }])
      await path.smtp.start(path.config, new AbortController().signal)
      await path.queue.start(path.config, new AbortController().signal)
    })
    afterAll(async () => {
      await path.stop()
      await server.close()
    })

    it.each(Object.entries(ENDS).filter(([, end]) => !isRealEnd(end)))(
      '%s is one message in and one out, or none, split at every byte',
      async (name, end) => {
        const before = server.mails.length
        const text = `Subject: ${name}\r\n\r\nbefore${end}${EVIL}`
        const first = text.indexOf('before') + 5
        let accepted = 0
        for (let at = first; at <= first + end.length + 1; at++) {
          const said = await speak(path.port(), [text.slice(0, at), text.slice(at)])
          const codes = [...said.matchAll(/^(\d{3}) /gm)].map(([, code]) => code)
          const verdict = codes[codes.indexOf('354') + 1]
          // Nothing of what was smuggled was answered as a command.
          expect(codes.slice(codes.indexOf('354') + 2)).toEqual(['221'])
          if (bareNewlines === 'reject') expect(verdict).toMatch(/^5/)
          else expect(verdict).toBe('250')
          if (verdict === '250') accepted++
        }
        await until('all is delivered', () => server.mails.length - before >= accepted)
        const out = server.mails.slice(before)
        expect(out).toHaveLength(accepted)
        for (const { from, to, data } of out) {
          expect([from, ...to]).toEqual(['a@b.example', `u@${DOMAIN}`])
          expect(data).not.toMatch(/[^\r]\n|^\n|\r(?!\n)|\0/)
          // A line that is a dot alone would end it at the next hop.
          expect(data).not.toMatch(/(^|\r\n)\.\r\n/)
        }
      },
    )

    it('CRCRLF.CRLF holds the real end: what follows is a second message of the same client, by the book', async () => {
      const before = server.mails.length
      const said = await speak(path.port(), [`Subject: one\r\n\r\nbefore\r\r\n.\r\n`])
      const codes = [...said.matchAll(/^(\d{3}) /gm)].map(([, code]) => code)
      const verdict = codes[codes.indexOf('354') + 1]
      expect(verdict).toMatch(bareNewlines === 'reject' ? /^5/ : /^250/)
      if (verdict !== '250') return
      await until('it is delivered', () => server.mails.length > before)
      expect(server.mails.at(-1)?.data).not.toMatch(/\r(?!\n)|[^\r]\n/)
    })
  },
)

const why = noPostfix()
describe.skipIf(why !== null)(`a lenient Postfix behind${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let path: MailPath
  let postfix: Postfix
  beforeAll(async () => {
    postfix = await startPostfix({ kind: 'mailboxes', domain: DOMAIN }, ['smtpd_forbid_bare_newline = no'])
    path = await mailPath({
      straight: true,
      listener: { bareNewlines: 'convert', recipientAccess: [acceptEntry(DOMAIN)] },
    })
    path.config.set(smtpRoutes, [{ domain: DOMAIN, hosts: [`127.0.0.1:${postfix.port}`] }])
    await path.smtp.start(path.config, new AbortController().signal)
    await path.queue.start(path.config, new AbortController().signal)
  })
  afterAll(async () => {
    await path.stop()
    await postfix.stop()
  })

  it('gets one message for each that came in', async () => {
    const sequences = Object.entries(ENDS).filter(([, end]) => !isRealEnd(end))
    for (const [name, end] of sequences)
      expect(await speak(path.port(), [`Subject: ${name}\r\n\r\nbefore${end}${EVIL}`])).toMatch(/^354 [^]*^250 /m)
    const folder = join(postfix.folder, 'mail/all/new')
    await path.until('message.finished', sequences.length)
    await until('Postfix has stored them', () => {
      try {
        return readdirSync(folder).length >= sequences.length
      } catch {
        return false
      }
    })
    const stored = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'))
    expect(stored).toHaveLength(sequences.length)
    expect(stored.filter((text) => /^Delivered-To: v@/m.test(text))).toEqual([])
    for (const [name] of sequences) expect(stored.filter((text) => text.includes(`Subject: ${name}\n`))).toHaveLength(1)
  })
})

describe('commands in the packet of STARTTLS', () => {
  it('are dropped: after the handshake only what came under TLS is answered', async () => {
    const path = await mailPath({ listener: { tls: 'preferred' } })
    await path.smtp.start(path.config, new AbortController().signal)
    try {
      const plain = connect({ port: path.port(), host: '127.0.0.1', noDelay: true })
      let said = ''
      const hear = (bytes: Buffer): void => void (said += bytes.toString('latin1'))
      plain.on('data', hear)
      await until('the greeting', () => said.startsWith('220 '))
      plain.write('EHLO c.example\r\n')
      await until('EHLO is answered', () => /^250 /m.test(said))
      plain.write('STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<evil@evil.example>\r\n')
      await until('STARTTLS is answered', () => said.split(/^220 /m).length === 3)
      plain.off('data', hear)
      said = ''
      const secure = connectTls({ socket: plain, rejectUnauthorized: false })
      secure.on('data', hear)
      await new Promise<void>((resolve, reject) => void secure.once('secureConnect', resolve).once('error', reject))
      secure.write('NOOP\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n')
      await until('QUIT is answered', () => /^221 /m.test(said))
      // No EHLO under TLS yet: whatever was said before is forgotten (RFC 3207 §4.2).
      expect([...said.matchAll(/^(\d{3}) /gm)].map(([, code]) => code)).toEqual(['250', '503', '221'])
      secure.destroy()
    } finally {
      await path.stop()
    }
  })
})
