import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { identify, sha256, testMessage } from '../support/load.ts'
import { delivered } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { noPostfix, startPostfix } from '../support/postfix.ts'
import type { Postfix } from '../support/postfix.ts'
import { run, until, which } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const why = noPostfix()

describe.skipIf(why !== null)(`Postfix as next hop${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let home: string
  let gateway: Serving
  let nextHop: Postfix
  beforeAll(async () => {
    nextHop = await startPostfix({ kind: 'mailboxes', domain: 'downstream.example.net' })
    home = freshHome()
    const port = await freePort()
    const { code, stdout, stderr } = await shell(
      home,
      ['--smtp', `127.0.0.1:${port}`, '--accept', 'downstream.example.net', '--echo'],
      `smtproutes new downstream.example.net [127.0.0.1]:${nextHop.port}\ncommit "route" Y\n`,
    )
    expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /)
    gateway = await serve(home, { port })
  })
  afterAll(async () => {
    await gateway.stop()
    await nextHop.stop()
    removeHome(home)
  })

  const received = (): readonly Buffer[] => {
    try {
      const folder = join(nextHop.folder, 'mail/all/new')
      return readdirSync(folder).map((name) => readFileSync(join(folder, name)))
    } catch {
      return []
    }
  }

  it('gets the message as it came in, below what the gateways added', async () => {
    const bytes = testMessage('hop', 29)
    const client = await SmtpClient.open(gateway.port)
    const reply = await client.send({ from: 'sender@partner.example.net', to: ['user@downstream.example.net'] }, bytes)
    await client.quit()
    expect(reply.code).toBe(250)
    await until('Postfix has delivered it', () => received().length === 1)
    // Postfix stores lines with LF.
    const stored = Buffer.from(received()[0]?.toString('latin1').replaceAll('\n', '\r\n') ?? '', 'latin1')
    expect(identify(stored)).toEqual({ id: 'hop', sha256: sha256(bytes) })
    const mid = /Message (\d+) accepted/i.exec(reply.text)?.[1]
    const story = (await shell(home, ['-c', `findevent -m ${mid} mail_logs`])).stdout
    expect(story).toMatch(/Info: New SMTP DCID \d+ interface .* address 127\.0\.0\.1 port \d+/)
    expect(story).toMatch(/Info: MID \d+ RID \[0\] Response '2\.0\.0 Ok: queued as /)
  })

  it('is tried again when it was away', async () => {
    await nextHop.stop()
    const client = await SmtpClient.open(gateway.port)
    const envelope = { from: 'sender@partner.example.net', to: ['user@downstream.example.net'] }
    const reply = await client.send(envelope, testMessage('later', 3))
    await client.quit()
    const mid = /Message (\d+) accepted/i.exec(reply.text)?.[1]
    await until('the delay is in the log', async () =>
      /Delayed|Connection Error/i.test((await shell(home, ['-c', `findevent -m ${mid} mail_logs`])).stdout),
    )
    expect(delivered(home)).toEqual([])
  })
})

describe.skipIf(which('swaks') === null)('STARTTLS', () => {
  let home: string
  let gateway: Serving
  beforeAll(async () => {
    home = freshHome()
    gateway = await serve(home)
  })
  afterAll(async () => {
    await gateway.stop()
    removeHome(home)
  })

  it('is offered, and the message is delivered over it', async () => {
    const { stdout, code } = await run('swaks', [
      ...[
        '--server',
        `127.0.0.1:${gateway.port}`,
        '--tls',
        '--from',
        'a@partner.example.net',
        '--to',
        'user@example.com',
      ],
    ])
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    expect(stdout).toMatch(/TLS started with cipher TLSv1\.3/)
    await until('it is in the mailbox', () => delivered(home).length === 1)
    const story = (await shell(home, ['-c', 'grep "TLS success" mail_logs'])).stdout
    expect(story).toMatch(/Info: ICID \d+ TLS success protocol TLSv1\.3 cipher \S+/)
  })
})
