import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, which } from '../support/processes.ts'

/** 5 KB of text with two URLs. */
const message = (): string => {
  const head = [
    'Received: from a.example.org (a.example.org [192.0.2.1]) by mx.example.org; Sun, 22 Nov 2026 10:00:00 +0000',
    'From: Sender <sender@example.org>',
    'To: User <user@example.net>',
    'Subject: Your order',
    'Date: Sun, 22 Nov 2026 10:00:00 +0000',
    'Message-ID: <bench.1@example.org>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Track it at https://shop.example.org/orders/1234?ref=mail and pay at http://pay.example.com/invoice/77',
    '',
  ].join('\n')
  const lines =
    'We have received your order and prepared it for shipment. Please have a look at the list below and tell us\n' +
    'within three days when something is missing, so that we can send it together with the rest of the goods.\n'
  return head + lines.repeat(Math.floor((5000 - head.length) / lines.length))
}

/** How messages come in. */
export interface Load {
  readonly sessions: number
  /** false: a new connection for each message. */
  readonly reuse: boolean
}

/** Postfix's load generator. */
export const createSource = () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const file = join(folder, 'message')
  writeFileSync(file, message())
  return {
    text: message(),
    /** Resolves with the last answer. */
    send: async (port: number, messages: number, { sessions, reuse }: Load): Promise<void> => {
      const args = [
        ...(reuse ? ['-d'] : []),
        ...['-m', String(messages), '-s', String(sessions), '-F', file, '-M', 'client.example.org'],
        ...['-f', 'sender@example.org', '-t', 'user@example.net', `127.0.0.1:${port}`],
      ]
      const source = await run(which('smtp-source') ?? 'missing', args, { timeoutMs: 300_000 })
      if (source.code !== 0) throw new Error(`smtp-source: ${source.stderr}`)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
export type Source = ReturnType<typeof createSource>
