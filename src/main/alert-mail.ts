import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { Fault } from '../core/errors.ts'
import { printable } from '../core/text.ts'
import type { AlertMailer } from '../logs/alerts.ts'
import type { DeliveryService } from '../services/delivery-queue.ts'

const encodedWord = (text: string): string =>
  // A header value that is not plain ASCII becomes an encoded word (RFC 2047).
  /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`

/** Alert mail goes into our own queue: durable, retried, never through a listener. */
export const alertMailer = (env: Env, queue: () => Pick<DeliveryService, 'enqueueLocal'> | null): AlertMailer => ({
  send: async (to, from, subject, text, signal) => {
    signal.throwIfAborted()
    const delivery = queue()
    if (!delivery) throw new Fault('NOT_CONFIGURED', 'the delivery queue is not there yet')
    const domain = from.slice(from.lastIndexOf('@') + 1)
    const id = uuid(env.entropy)
    const lines = [
      `From: <${from}>`,
      `To: <${to}>`,
      `Subject: ${encodedWord(printable(subject))}`,
      `Date: ${env.clock.now().toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${id}@${domain}>`,
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      ...(Buffer.from(text)
        .toString('base64')
        .match(/.{1,76}/g) ?? []),
      '',
    ]
    await delivery.enqueueLocal({ key: `alert:${id}`, from: '', to: [to], message: Buffer.from(lines.join('\r\n')) })
  },
})
