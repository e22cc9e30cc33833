import { describe, expect, it } from 'vitest'
import { storyLines } from '../../../src/logs/search.ts'

async function* batches(lines: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let i = 0; i < lines.length; i += 3) yield lines.slice(i, i + 3)
}
const all = async (lines: AsyncIterable<string>): Promise<string[]> => {
  const out: string[] = []
  for await (const line of lines) out.push(line)
  return out
}
const at = (text: string): string => `Tue Mar 29 20:20:10 2022 Info: ${text}`

describe('storyLines', () => {
  const log = [
    at('New SMTP ICID 5 interface Data 1 (192.0.2.1) address 192.0.2.9 reverse dns host unknown verified no'),
    at('Start MID 7 ICID 5'),
    at('MID 7 ICID 5 From: <a@example.net>'),
    at('MID 7 Subject "MID 8 queued"'),
    at('Start MID 8 ICID 5'),
    at('MID 8 ICID 5 From: <b@example.net>'),
    at('MID 8 Subject "MID 7 queued for delivery"'),
    at('ICID 5 close'),
    at('MID 7 was split creating MID 9 due to a per-recipient policy was generated in the inbound table'),
    at('Start MID 9 ICID 0'),
    at("MID 11 was generated based on MID 9 by bcc filter 'x'"),
    at('New SMTP DCID 3 interface 192.0.2.1 address 192.0.2.2 port 25'),
    at('Delivery start DCID 3 MID 9 to RID [0]'),
    at('Delivery start DCID 3 MID 8 to RID [0]'),
    at('Message done DCID 3 MID 9 to RID [0] '),
    at('DCID 3 close'),
    at('New SMTP ICID 6 interface Data 1 (192.0.2.1) address 192.0.2.9 reverse dns host unknown verified no'),
    at('Message finished MID 7 done'),
    at(
      "Message 9 was processed due to URL retrospection by Mailbox Remediation with 'Delete' remedial action for recipient x",
    ),
    at('Message 8 was processed due to URL retrospection by Mailbox Remediation'),
  ]

  it('takes the lines of a message, of what came of it and of its connections, and no others', async () => {
    const story = await all(storyLines(() => batches(log), 7))
    const foreign = [4, 5, 6, 13, 16, 19]
    expect(story).toEqual(log.filter((_, i) => !foreign.includes(i)))
  })

  it('keeps continuation lines with the line above', async () => {
    const lines = [
      `Tue Mar 29 20:20:10 2022 Trace: url_rep_client.beaker_rpc_server : THR: Thread-2: SRC: antispam: MID: 7: URS GRPC Req: a {`,
      '  b: "c"',
      '}',
      '.',
      at('other'),
      'more of other',
    ]
    expect(await all(storyLines(() => batches(lines), 7))).toEqual(lines.slice(0, 4))
  })

  it('says nothing of a message that the log does not know', async () => {
    expect(await all(storyLines(() => batches(log), 12))).toEqual([])
  })
})
