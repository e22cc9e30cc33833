import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { delivered } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { run, until, which } from '../support/processes.ts'

const URL = 'http://phish.example.net/test_url_2022032901'
const TO = 'user@example.com'
const skip = which('swaks') === null

/** The life of one message, sent by swaks and steered from the shell (issue 2, acceptance 3). */
describe.skipIf(skip)(`a message sent by swaks${skip ? ' (skipped: swaks is not installed)' : ''}`, () => {
  let home: string
  let gateway: Serving
  let mid = 0
  const ask = async (command: string): Promise<string> => {
    const { stdout, stderr, code } = await shell(home, ['-c', command])
    expect(`${code} ${stderr}`).toBe('0 ')
    return stdout
  }

  beforeAll(async () => {
    home = freshHome()
    const settings = 'urlretroservice enable\nwebsecurityconfig\n\n\n\ny\n\ncommit\n\n\n'
    const port = await freePort()
    await shell(home, ['--hostname', 'mail.example.com', '--smtp', `127.0.0.1:${port}`], settings)
    gateway = await serve(home, { port })
  })
  afterAll(async () => {
    await gateway.stop()
    removeHome(home)
  })

  it('is accepted and delivered', async () => {
    const { stdout, code } = await run('swaks', [
      ...['--server', `127.0.0.1:${gateway.port}`, '--from', 'sender@partner.example.net', '--to', TO],
      ...['--header', 'Subject: A test', '--body', `Look here: ${URL}`],
    ])
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    mid = Number(/Message (\d+) accepted/i.exec(stdout)?.[1])
    expect(mid).toBeGreaterThan(0)
    await until('it is in the mailbox', () => delivered(home).length === 1)
  })

  it('has its story told in the words of the reference', async () => {
    const story = await ask(`findevent -m ${mid} mail_logs`)
    for (const line of [
      /Info: New SMTP ICID \d+ interface Data 1 \(127\.0\.0\.1\) address 127\.0\.0\.1 reverse dns host .* verified (yes|no)$/m,
      /Info: ICID \d+ ACCEPT SG /m,
      new RegExp(`Info: Start MID ${mid} ICID \\d+$`, 'm'),
      new RegExp(`Info: MID ${mid} ICID \\d+ From: <sender@partner\\.example\\.net>$`, 'm'),
      new RegExp(`Info: MID ${mid} ICID \\d+ RID 0 To: <user@example\\.com>$`, 'm'),
      new RegExp(`Info: MID ${mid} Message-ID '<.*>'$`, 'm'),
      new RegExp(`Info: MID ${mid} Subject "A test"$`, 'm'),
      new RegExp(
        `Info: MID ${mid} SDR: Domains for which SDR is requested: reverse DNS host: .*, reply-to: Not Present$`,
        'm',
      ),
      new RegExp(`Info: MID ${mid} SDR: Consolidated Sender Threat Level: .* Sender Maturity: `, 'm'),
      new RegExp(`Info: MID ${mid} SDR: Tracker Header : [0-9a-f]{8}_`, 'm'),
      new RegExp(`Info: MID ${mid} ready \\d+ bytes from <sender@partner\\.example\\.net>$`, 'm'),
      new RegExp(`Info: MID ${mid} matched all recipients for per-recipient policy DEFAULT in the inbound table$`, 'm'),
      new RegExp(`Info: MID ${mid} queued for delivery$`, 'm'),
      new RegExp(`Info: Message finished MID ${mid} done$`, 'm'),
    ])
      expect(story).toMatch(line)
  })

  it('leaves the mailbox when its URL turns malicious, and a second poll acts on nothing', async () => {
    await ask('urlretroservice poll')
    await ask(`intelconfig set ${URL} malicious`)
    await ask('urlretroservice poll')
    await until('it is out of the mailbox', () => delivered(home).length === 0)
    const done = async (): Promise<string> => await ask('grep -e "Remediation status" mail_logs')
    await until('the result is in mail_logs', async () => (await done()).includes('Remediated.'))
    const before = await done()
    await ask('urlretroservice poll')
    expect(await done()).toBe(before)
    expect(before).toContain(
      `Message ${mid} was processed due to URL retrospection by Mailbox Remediation with 'Delete' remedial action for recipient ${TO}.`,
    )
  })
})
