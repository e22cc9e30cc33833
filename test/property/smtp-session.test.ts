import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import * as fc from 'fast-check'
import { SMTPServer } from 'smtp-server'
import { expect, it } from 'vitest'
import { SmtpSession } from '../../src/mail/smtp/session.ts'
import { converse } from '../support/smtp-conversation.ts'

const session = (bareNewlines: 'reject' | 'convert') =>
  new SmtpSession({
    hostname: 'mail.example.com',
    greeting: 'ESMTP',
    tls: 'off',
    maxMessages: 50,
    maxRecipients: 5,
    maxMessageBytes: 200,
    bareNewlines,
  })

/** Pieces that matter to the state machine, in any order. */
const piece = fc.constantFrom(
  ...['EHLO x\r\n', 'HELO y\r\n', 'MAIL FROM:<a@b.example>\r\n', 'RCPT TO:<c@d.example>\r\n', 'DATA\r\n', 'RSET\r\n'],
  ...[
    'BDAT 5\r\nab',
    'NOOP\n',
    'STARTTLS\r\n',
    'QUIT\r\n',
    'XYZ\r\n',
    '\0',
    '\r',
    '\n',
    '.',
    '..',
    '\r\n',
    '\r\n.\r\n',
    '\n.\n',
  ],
  ...['\r\n.\r', '\r.\r\n', 'text', '\u00ff', 'x'.repeat(300), 'NOOP\r\n'],
)
const OPEN = 'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n'

it('a conversation is the same however its bytes are cut into packets', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.boolean(),
      fc.constantFrom('reject' as const, 'convert' as const),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 20 }),
      (pieces, open, mode, cuts) => {
        const input = Buffer.from((open ? OPEN : '') + pieces.join(''), 'latin1')
        const packets: Buffer[] = []
        for (let at = 0, i = 0; at < input.length; i++) {
          const n = 1 + (cuts[i % cuts.length] ?? 0)
          packets.push(input.subarray(at, at + n))
          at += n
        }
        const whole = converse(session(mode), [input]).outputs
        expect(
          converse(
            session(mode),
            [...input].map((b) => Buffer.of(b)),
          ).outputs,
        ).toEqual(whole)
        expect(converse(session(mode), packets).outputs).toEqual(whole)
      },
    ),
    { numRuns: 400, seed: 7 },
  )
})

it('a converted message never holds a bare CR or LF, and one DATA never gives two messages', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('').replaceAll('\r\n.\r\n', '\r\n')
      const { messages } = converse(session('convert'), [
        Buffer.from(`${OPEN}${text}`, 'latin1'),
        Buffer.from('\r\n.\r\n'),
      ])
      for (const message of messages) expect(message).not.toMatch(/[^\r]\n|^\n|\r(?!\n)|\0/)
    }),
    { numRuns: 400, seed: 8 },
  )
})

it('answers every line once, and every message once, until it says goodbye', () => {
  const command = fc.constantFrom(
    ...['EHLO x', 'HELO y', 'EHLO', 'MAIL FROM:<a@b.example>', 'MAIL FROM:<>', 'MAIL FROM:<a@b.example> SIZE=999'],
    ...['RCPT TO:<c@d.example>', 'RCPT TO:<c@D.example>', 'RCPT TO:<postmaster>', 'RCPT', 'DATA', 'DATA', 'DATA x'],
    ...[
      'RSET',
      'NOOP words',
      'VRFY',
      'VRFY x',
      'EXPN x',
      'HELP',
      'AUTH PLAIN AA==',
      'BDAT 0',
      '',
      ' ',
      '\tNOOP',
      'XYZ',
    ],
  )
  const line = fc.constantFrom('Subject: s', '', '..', 'text', 'RSET', 'a'.repeat(150), '\u00e9')
  const mail = fc
    .array(line, { maxLength: 5 })
    .map((lines) => ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA', ...lines, '.'])
  fc.assert(
    fc.property(fc.array(fc.oneof(mail, fc.tuple(command)), { maxLength: 25 }), (parts) => {
      const lines = ['EHLO x', ...parts.flat(), '.', 'RSET', 'QUIT']
      const { replies } = converse(session('reject'), [Buffer.from(`${lines.join('\r\n')}\r\n`)])
      const codes = replies.map((reply) => reply.slice(0, 3))
      let at = 1
      for (let i = 0; i < lines.length && codes[at - 1] !== '421'; i++) {
        if (codes[at++] !== '354') continue
        while (lines[++i] !== '.');
        at++
      }
      expect(codes).toHaveLength(at)
      expect(codes.at(-1)).toMatch(/^(?:221|421)$/)
    }),
    { numRuns: 300, seed: 10 },
  )
})

it('agrees with smtp-server about well-formed conversations', async () => {
  const oracleMessages: string[] = []
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    logger: false,
    disableReverseLookup: true,
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (c: Buffer) => chunks.push(c))
      stream.on('end', () => {
        oracleMessages.push(Buffer.concat(chunks).toString('latin1'))
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  const line = fc.constantFrom('.', '..', '. x', '', 'text', 'a'.repeat(70), 'QUIT', 'DATA', '\u00e9')
  const step = fc.oneof(
    fc.constantFrom('NOOP', 'RSET', 'EHLO again.example', 'DATA', 'RCPT TO:<early@d.example>', 'MAIL FROM:<>', 'FOO'),
    fc.array(line, { maxLength: 6 }).map((lines) => {
      const stuffed = lines.map((l) => `${l.startsWith('.') ? '.' : ''}${l}\r\n`).join('')
      return `RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n${stuffed}.`
    }),
  )
  const ask = (input: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (d) => (text += d.toString('latin1')))
      socket.on('error', reject).on('close', () => resolve(text))
      socket.once('data', () => socket.write(Buffer.from(input, 'latin1')))
    })
  const codes = (text: string) => [...text.matchAll(/^(\d{3}) /gm)].map((m) => Number(m[1]))
  // Where the RFC leaves the exact code open: refused is refused.
  const kind = (code: number) => Math.floor(code / 100)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      oracleMessages.length = 0
      const input = `${['EHLO x.example', ...steps, 'QUIT'].join('\r\n')}\r\n`
      const theirs = codes(await ask(input)).map(kind)
      const ours = converse(session('reject'), [Buffer.from(input, 'latin1')])
      expect(codes(ours.replies.join('')).map(kind)).toEqual(theirs)
      expect(ours.messages).toEqual(oracleMessages)
    }),
    { numRuns: 40, seed: 9 },
  )
  await new Promise<void>((resolve) => server.close(() => resolve()))
})
