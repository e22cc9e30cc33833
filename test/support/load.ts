import { createHash } from 'node:crypto'
import { SmtpClient } from './smtp-client.ts'

/** A message to send; `id` is what `identify` finds in it. */
export interface Mail {
  readonly id: string
  readonly to: readonly string[]
  readonly bytes: Buffer
}

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  /** The next message; null = enough. */
  next(): Mail | null
  onAccepted?(mail: Mail, text: string): void
  /** A reply after DATA that is not 250. */
  onRefused?(mail: Mail, text: string): void
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** A message whose bytes are easy to damage: leading dots, eight-bit text, lines of many lengths. */
export const testMessage = (id: string, seed: number): Buffer => {
  const body = Array.from({ length: 5 + (seed % 40) }, (_, i) => {
    const dots = '.'.repeat((seed + i) % 4)
    return `${dots}line ${i} of ${id} ${'grüße '.repeat((seed * 7 + i * 3) % 12)}`
  })
  const head = [
    `X-Ledger: ${id}`,
    'From: sender@partner.example.net',
    'To: user@example.com',
    `Message-ID: <${id}@partner.example.net>`,
    'Date: Tue, 29 Mar 2022 20:19:30 -0400',
    `Subject: load ${id}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body.join('\r\n')}\r\n`)
}

/** The id of a delivered message, and the SHA-256 of all that stands below the headers that the gateway added. */
export const identify = (bytes: Buffer): { readonly id: string; readonly sha256: string } | null => {
  const at = bytes.indexOf('X-Ledger: ')
  if (at < 0) return null
  const id = bytes.toString('latin1', at + 10, bytes.indexOf('\r\n', at))
  return { id, sha256: sha256(bytes.subarray(at)) }
}

/** Sends until all is sent or the server is gone. */
export const sendLoad = async (options: LoadOptions): Promise<void> => {
  const connection = async (): Promise<void> => {
    const client = await SmtpClient.open(options.port)
    try {
      for (let mail = options.next(); mail; mail = options.next()) {
        const reply = await client.send({ from: 'sender@partner.example.net', to: mail.to }, mail.bytes)
        if (reply.code === 250) options.onAccepted?.(mail, reply.text)
        else options.onRefused?.(mail, `${reply.code} ${reply.text}`)
      }
    } finally {
      client.close()
    }
  }
  await Promise.allSettled(Array.from({ length: options.connections }, connection))
}
