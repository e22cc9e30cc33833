import type { ConfigReader } from '../config/section.ts'
import { system } from '../config/sections/system.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { printable } from '../core/text.ts'
import type { Delivery } from '../store/spool.ts'
import type { Forwarder } from './ports.ts'

/** The way into our own queue; a repeated call with the same key sends once. */
export type SendLocal = (mail: {
  readonly key: string
  readonly from: string
  readonly to: readonly string[]
  readonly message: Uint8Array
}) => Promise<unknown>

/** Mailbox files of other origin may hold bare line feeds, which never go out over SMTP. */
const withCrlf = (bytes: Uint8Array): Buffer => {
  const text = Buffer.from(bytes).toString('latin1')
  return Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1')
}

/** A boundary that does not occur in the original. */
const boundaryFor = (original: Buffer, env: Env): string => {
  for (;;) {
    const boundary = `lychgate-${Buffer.from(env.entropy.bytes(12)).toString('hex')}`
    if (!original.includes(boundary)) return boundary
  }
}

const explanation = ({ mid, recipient, messageId, subject, sender }: Delivery, hostname: string): readonly string[] => [
  `The attached message was delivered to the mailbox of ${printable(recipient)}. It holds a URL that was judged`,
  'malicious after the delivery. Do not open its links.',
  '',
  `MID:        ${mid} on ${hostname}`,
  `Message-ID: ${printable(messageId ?? 'none')}`,
  `Sender:     ${printable(sender === '' ? '<>' : sender)}`,
  `Subject:    ${printable(subject)}`,
]

/** Forwards a copy as an attachment of a mail of our own, so that nothing in it acts on the way. */
export const createForwarder = (deps: {
  readonly env: Env
  readonly config: ConfigReader
  readonly send: SendLocal
}): Forwarder => ({
  forward: async (key, to, bytes, target, signal) => {
    signal.throwIfAborted()
    const { env } = deps
    const { hostname } = deps.config.get(system)
    const original = withCrlf(bytes)
    const boundary = boundaryFor(original, env)
    const date = env.clock.now().toUTCString().replace('GMT', '+0000')
    const head = [
      `From: "Mailbox Remediation" <remediation@${hostname}>`,
      `To: <${to}>`,
      `Subject: URL retrospection: message with MID ${target.mid}`,
      `Date: ${date}`,
      `Message-ID: <${uuid(env.entropy)}@${hostname}>`,
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      `Content-Type: multipart/mixed; boundary="${boundary}"`,
      '',
      `--${boundary}`,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      ...explanation(target, hostname),
      '',
      `--${boundary}`,
      'Content-Type: message/rfc822',
      // RFC 2046 5.2.1: an attached message is never encoded.
      'Content-Transfer-Encoding: 8bit',
      'Content-Disposition: attachment; filename="message.eml"',
      '',
      '',
    ].join('\r\n')
    const message = Buffer.concat([Buffer.from(head), original, Buffer.from(`\r\n--${boundary}--\r\n`)])
    await deps.send({ key, from: '', to: [to], message })
  },
})
