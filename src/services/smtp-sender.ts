import { senderExceptions } from '../config/sections/sender-exceptions.ts'
import type { MailFlow } from '../mail/smtp/host-access.ts'
import { ownReply } from '../mail/smtp/replies.ts'
import { senderException } from '../mail/smtp/sender-exception.ts'
import { senderRefusal } from './sender-domain.ts'
import type { SmtpConnectionDeps } from './smtp-connection-deps.ts'

type Deps = Pick<SmtpConnectionDeps, 'config' | 'events' | 'senders'>

/** Envelope sender verification: the table of exceptions, then DNS. The reply that refuses, or null. */
export const refusedSender = async (
  { config, events, senders }: Deps,
  { senderVerification, exceptionTable }: MailFlow,
  icid: number,
  sender: string,
  signal: AbortSignal,
): Promise<string | null> => {
  const exception = exceptionTable ? senderException(config.get(senderExceptions), sender) : undefined
  if (exception) {
    const allowed = exception.action === 'allow'
    events.publish({ type: 'connection.sender-exception', icid, sender, allowed })
    if (allowed) return null
    return ownReply(exception.code, exception.text, '7.1', 'sender rejected')
  }
  const domain = sender.slice(sender.lastIndexOf('@') + 1)
  if (!senderVerification || sender === '' || domain.startsWith('[')) return null
  const why = await senders.state(domain, signal)
  if (why === 'exists') return null
  events.publish({ type: 'connection.sender-refused', icid, sender, why })
  return senderRefusal(sender, why)
}
