import type { AttemptResult, OutgoingMessage } from '../../src/mail/delivery/transport.ts'
import { SmtpClientSession } from '../../src/mail/smtp/client/session.ts'
import type { SmtpClientOutput, SmtpClientSettings } from '../../src/mail/smtp/client/session-types.ts'

/** A client without a network: what a server's text makes it say and find out. */
export const dialogue = (settings: Partial<SmtpClientSettings> = {}) => {
  const session = new SmtpClientSession({
    hostname: 'mail.example.com',
    tls: 'no',
    auth: null,
    replyTimeoutMs: 300_000,
    ...settings,
  })
  const said: string[] = []
  const results: (readonly AttemptResult[] | null)[] = []
  const others: SmtpClientOutput[] = []
  const run = (outputs: readonly SmtpClientOutput[]): void => {
    for (const output of outputs) {
      if (output.kind === 'write') said.push(output.text)
      else if (output.kind === 'body') {
        said.push(Buffer.concat([...output.parts]).toString('latin1'))
        session.bodySent()
      } else if (output.kind === 'results') results.push(output.results)
      else others.push(output)
    }
  }
  return {
    session,
    said,
    results,
    others,
    /** What was said since the last call. */
    heard: (): string => said.splice(0).join(''),
    run,
    hear: (text: string | Buffer): void =>
      run(session.feed(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)),
    send: (message: Partial<OutgoingMessage> & { readonly to?: readonly string[] } = {}): void => {
      const { to = ['c@d.example'], ...over } = message
      run(
        session.send({
          sender: 'a@b.example',
          recipients: to.map((address) => ({ address })),
          bytes: Buffer.from('Subject: hi\r\n\r\nBody\r\n'),
          ...over,
        }),
      )
    },
  }
}

export const OFFER = '250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n'
