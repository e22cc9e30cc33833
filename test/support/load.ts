import { createHash } from 'node:crypto'
import { SmtpClient } from './smtp-client.ts'

/** What the sender knows: for each message that was answered 250, the SHA-256 of its bytes. */
export interface Ledger {
  readonly accepted: Map<string, string>
  /** Sent at least in part, but never answered: may be there once, or not at all. */
  readonly unanswered: Set<string>
}

export interface LoadOptions {
  readonly port: number
  readonly count: number
  readonly connections: number
  /** Names the messages: `<name>-<number>`. */
  readonly name: string
  readonly to: string
  onAccepted?(total: number): void
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

/** Sends until all is sent or the server is gone; every 250 is written into the ledger at once. */
export const sendLoad = async (options: LoadOptions): Promise<Ledger> => {
  const ledger: Ledger = { accepted: new Map(), unanswered: new Set() }
  let next = 0
  const connection = async (): Promise<void> => {
    const client = await SmtpClient.open(options.port)
    try {
      while (next < options.count) {
        const number = next++
        const id = `${options.name}-${number}`
        const bytes = testMessage(id, number)
        ledger.unanswered.add(id)
        const reply = await client.send({ from: 'sender@partner.example.net', to: [options.to] }, bytes)
        ledger.unanswered.delete(id)
        if (reply.code !== 250) continue
        ledger.accepted.set(id, sha256(bytes))
        options.onAccepted?.(ledger.accepted.size)
      }
    } finally {
      client.close()
    }
  }
  await Promise.allSettled(Array.from({ length: options.connections }, connection))
  return ledger
}
