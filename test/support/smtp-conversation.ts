import type { SmtpSession } from '../../src/mail/smtp/session.ts'
import type { SmtpOutput } from '../../src/mail/smtp/session-types.ts'

/** Runs a session that accepts everything it is asked; stops at STARTTLS. */
export const converse = (session: SmtpSession, packets: readonly Buffer[], greet = true) => {
  const outputs: SmtpOutput[] = []
  const take = (out: readonly SmtpOutput[]): void => {
    for (const output of out) {
      outputs.push(output)
      if (output.kind === 'sender' || output.kind === 'recipient') take(session.answer({ accept: true, reply: null }))
      if (output.kind === 'message') take(session.answer({ accept: true, reply: '250 2.0.0 ok: Message accepted' }))
    }
  }
  if (greet) take(session.greet())
  for (const packet of packets) take(session.feed(packet))
  const replies = outputs.flatMap((o) => (o.kind === 'reply' ? [o.text] : []))
  return {
    outputs,
    replies,
    codes: replies.map((r) => Number(r.slice(0, 3))),
    messages: outputs.flatMap((o) => (o.kind === 'message' ? [o.bytes.toString('latin1')] : [])),
  }
}
