import type { Appliance } from '../../src/services/appliance.ts'
import { newEntry } from './spool.ts'

const DOMAINS = ['example.com', 'example.org', 'example.net']

/** Puts `count` messages into the delivery queue: to three domains in turn, from two senders in turn; the third has two recipients. */
export const queueMail = async ({ spool, ids, env }: Appliance, count: number): Promise<void> => {
  const now = env.clock.now().getTime()
  for (let n = 1; n <= count; n++) {
    const domain = DOMAINS[(n - 1) % DOMAINS.length]
    const recipients = [`user${n}@${domain}`, ...(n === 3 ? [`other${n}@example.com`] : [])]
    const sender = n % 2 === 1 ? 'alice@sender.example' : ''
    const body = Buffer.from(
      `From: <${sender || 'nobody'}>\r\nTo: <${recipients[0]}>\r\nSubject: Message ${n}\r\n\r\nThe text of message ${n}.\r\n`,
    )
    await spool.accept(
      newEntry(ids.next('mid'), {
        receivedAt: new Date(now - 60_000 * (count - n + 1)),
        sender,
        recipients: recipients.map((address, rid) => ({ rid, address })),
        subject: `Message ${n}`,
        size: body.length,
        state: { kind: 'queued' },
        body,
      }),
    )
  }
}
