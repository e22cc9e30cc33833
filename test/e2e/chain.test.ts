import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { noDovecot, startDovecot } from '../support/dovecot.ts'
import type { Dovecot } from '../support/dovecot.ts'
import { identify, sha256, testMessage } from '../support/load.ts'
import { freePort } from '../support/ports.ts'
import { noPostfix, startPostfix } from '../support/postfix.ts'
import type { Postfix } from '../support/postfix.ts'
import { run, until, which } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

const DOMAIN = 'downstream.example.net'
const why = noPostfix() ?? noDovecot()

describe.skipIf(why !== null)(`Postfix, Lychgate, Postfix, Dovecot${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let home: string
  let gateway: Serving
  let upstream: Postfix
  let downstream: Postfix
  let dovecot: Dovecot
  beforeAll(async () => {
    dovecot = await startDovecot()
    downstream = await startPostfix({ kind: 'lmtp', domain: DOMAIN, port: dovecot.lmtpPort })
    home = freshHome()
    const port = await freePort()
    const { code, stdout, stderr } = await shell(
      home,
      ['--smtp', `127.0.0.1:${port}`, '--accept', DOMAIN, '--echo'],
      `smtproutes new ${DOMAIN} [127.0.0.1]:${downstream.port}\ncommit "route" Y\n`,
    )
    expect(`${code} ${stdout}${stderr}`).toMatch(/^0 /)
    gateway = await serve(home, { port })
    upstream = await startPostfix({ kind: 'relay', port })
  }, 120_000)
  afterAll(async () => {
    await upstream.stop()
    await gateway.stop()
    await downstream.stop()
    await dovecot.stop()
    removeHome(home)
  })

  it('hand ten messages through: IMAP shows each once, as it was sent', async () => {
    const client = await SmtpClient.open(upstream.port)
    const sent = new Map<string, string>()
    for (let n = 0; n < 10; n++) {
      const bytes = testMessage(`chain-${n}`, n * 5)
      sent.set(`chain-${n}`, sha256(bytes))
      const reply = await client.send({ from: 'sender@partner.example.net', to: [`user@${DOMAIN}`] }, bytes)
      expect(reply.code).toBe(250)
    }
    await client.quit()
    let inbox: readonly string[] = []
    await until(
      'Dovecot has them all',
      async () => {
        inbox = await dovecot.inbox('user')
        return inbox.length >= sent.size
      },
      40_000,
    )
    const found = inbox.map((text) => identify(Buffer.from(text, 'latin1')))
    expect(found.map((mail) => mail?.id).sort()).toEqual([...sent.keys()].sort())
    for (const mail of found) expect(mail?.sha256).toBe(sent.get(mail?.id ?? ''))
    for (const text of inbox) expect(text).toMatch(/\(Lychgate\) with ESMTPS? id/)
  }, 60_000)
})

describe.skipIf(which('swaks') === null)('swaks', () => {
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
  const swaks = async (...args: readonly string[]) =>
    await run('swaks', [
      ...['--server', `127.0.0.1:${gateway.port}`, '--from', 'a@partner.example.net', '--to', 'user@example.com'],
      ...args,
    ])

  it('pipelines', async () => {
    const { stdout, code } = await swaks('--pipeline')
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    // MAIL, RCPT and DATA go out before the first of their answers.
    expect(stdout).toMatch(/ -> MAIL FROM[^\n]*\n -> RCPT TO[^\n]*\n -> DATA\n/)
  })

  it('sends over TLS and pipelines under it', async () => {
    const { stdout, code } = await swaks('--tls', '--pipeline')
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    expect(stdout).toMatch(/TLS started with cipher TLSv1\.3/)
  })

  it('is told the size limit, and refused above it before a byte of the message', async () => {
    const { stdout } = await swaks('--quit-after', 'EHLO')
    const limit = Number(/SIZE (\d+)/.exec(stdout)?.[1])
    expect(limit).toBeGreaterThan(1_000_000)
    const client = await SmtpClient.open(gateway.port)
    expect((await client.command(`MAIL FROM:<a@partner.example.net> SIZE=${limit + 1}`)).code).toBe(552)
    expect((await client.command(`MAIL FROM:<a@partner.example.net> SIZE=${limit}`)).code).toBe(250)
    client.close()
  })

  it('finds no AUTH where the listener asks for none', async () => {
    const { stdout, code } = await swaks('--auth', 'PLAIN', '--auth-user', 'a', '--auth-password', 'b')
    // 28: no authentication type that both sides have.
    expect(code).toBe(28)
    expect(stdout).not.toMatch(/^<-  250.AUTH/m)
  })
})
