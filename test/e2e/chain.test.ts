import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { PASSPHRASE, noDovecot, startDovecot } from '../support/dovecot.ts'
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
      [
        `smtproutes new ${DOMAIN} [127.0.0.1]:${downstream.port}`,
        'remediationconfig profile new store imap',
        `remediationconfig imap store 127.0.0.1:${dovecot.imapPort} {local} --security=none`,
        PASSPHRASE,
        `remediationconfig map new ${DOMAIN} store`,
        'urlretroservice enable',
        'websecurityconfig\n\n\n\ny\n',
        'commit "chain" Y\n',
      ].join('\n'),
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

  it('and a message whose URL turns malicious leaves the mailbox by IMAP, and comes back by undo', async () => {
    const ask = async (command: string): Promise<string> => {
      const { stdout, stderr, code } = await shell(home, ['-c', command])
      expect(`${command}: ${code} ${stderr}`).toBe(`${command}: 0 `)
      return stdout
    }
    const url = 'http://phish.example.net/chain_url'
    const mail = (id: string, body: string): Buffer =>
      Buffer.from(
        `From: a@partner.example.net\r\nTo: victim@${DOMAIN}\r\nSubject: ${id}\r\nMessage-ID: <${id}@partner.example.net>\r\n` +
          `Date: Tue, 29 Mar 2022 20:19:30 -0400\r\n\r\n${body}\r\n`,
      )
    const client = await SmtpClient.open(upstream.port)
    const envelope = { from: 'a@partner.example.net', to: [`victim@${DOMAIN}`] }
    expect((await client.send(envelope, mail('bad', `Look here: ${url}`))).code).toBe(250)
    expect((await client.send(envelope, mail('good', 'Nothing to see.'))).code).toBe(250)
    await client.quit()
    const subjects = async (): Promise<readonly string[]> =>
      (await dovecot.inbox('victim')).map((text) => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '').sort()
    await until('both are in the mailbox', async () => (await subjects()).join() === 'bad,good', 40_000)
    // A host behind us wrote its own Received header on top of ours.
    const [bad = ''] = (await dovecot.inbox('victim')).filter((text) => text.includes(url))
    expect(bad.indexOf('(Lychgate) with')).toBeGreaterThan(bad.indexOf('Received: '))
    expect(/^Received: [^]*?\r\n(?![ \t])/m.exec(bad)?.[0]).not.toContain('Lychgate')

    await ask('urlretroservice poll')
    await ask(`intelconfig set ${url} malicious`)
    await ask('urlretroservice poll')
    await until('it is out of the mailbox', async () => (await subjects()).join() === 'good', 30_000)
    const lines = async (): Promise<string> => await ask('grep -e "Remediation status" mail_logs')
    await until('the result is in mail_logs', async () => (await lines()).includes('Remediated.'))
    expect(await lines()).toMatch(
      new RegExp(`'Delete' remedial action for recipient victim@${DOMAIN}\\. Profile used to remediate: store`),
    )
    const job = /^\s*(\d+)\b/m.exec((await ask('remediation list')).split('\n').slice(1).join('\n'))?.[1]
    await ask(`remediation undo ${job}`)
    expect(await subjects()).toEqual(['bad', 'good'])
    const [back] = (await dovecot.inbox('victim')).filter((text) => text.includes(url))
    expect(back).toBe(bad)
  }, 120_000)
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
