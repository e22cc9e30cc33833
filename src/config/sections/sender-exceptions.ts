import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { repeated } from '../unique.ts'

const senderException = v.object({
  /** `example.com`, `.example.com`, `user@`, `user@example.com`, `@[192.0.2.1]`: lower case. */
  address: v.pipe(v.string(), v.minLength(1), v.maxLength(320)),
  action: v.picklist(['allow', 'reject']),
  code: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
  /** '' = our own words. */
  text: v.pipe(v.string(), v.maxLength(255), v.regex(/^[^\u0000-\u001f\u007f"]*$/)),
})
export type SenderException = v.InferOutput<typeof senderException>

/** `exceptionconfig`: envelope senders that are let in or refused whatever DNS says of their domain. */
export const senderExceptions = defineSection({
  name: 'sender_exceptions',
  version: 1,
  schema: v.array(senderException),
  defaults: [] as SenderException[],
  verify: (all) =>
    repeated(all.map(({ address }) => address)).map((address): Issue => ({
      path: 'sender_exceptions',
      message: `${address} stands twice in the table.`,
      severity: 'error',
    })),
})
