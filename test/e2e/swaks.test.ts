import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { delivered } from '../support/mailboxes.ts'
import { freePort } from '../support/ports.ts'
import { run, until, which } from '../support/processes.ts'
import type { Finished } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

/* swaks' own checks: what it sends, what it makes of the answers, and its exit status. */

const why = which('swaks') === null ? 'swaks is not installed' : null
const PASS = 'Correct-Horse-9'

describe.skipIf(why !== null)(`swaks${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let home: string
  let gateway: Serving
  let smtps: number
  beforeAll(async () => {
    home = freshHome()
    const port = await freePort()
    smtps = await freePort()
    const script = [
      `listenerconfig new Submission public 127.0.0.1 ${smtps}`,
      'listenerconfig edit Submission setup --implicit_tls=yes',
      'listenerconfig edit Submission hostaccess default --auth=required',
      ...['smtpauthconfig', 'new', 'ann', PASS, PASS, ''],
      'listenerconfig edit IncomingMail hostaccess default --auth=preferred --max_size=64K',
      'commit "submission" Y',
    ]
    const set = await shell(
      home,
      ['--smtp', `127.0.0.1:${port}`, '--accept', 'example.com', '--echo'],
      `${script.join('\n')}\n`,
    )
    expect(`${set.code} ${set.stdout}${set.stderr}`).toMatch(/^0 /)
    gateway = await serve(home, { port })
  })
  afterAll(async () => {
    await gateway.stop()
    removeHome(home)
  })

  const swaks = async (to: string, ...options: readonly string[]): Promise<Finished> =>
    await run('swaks', [
      '--server',
      `127.0.0.1:${gateway.port}`,
      '--from',
      'a@partner.example.net',
      '--to',
      to,
      ...options,
    ])
  const story = async (what: string): Promise<string> => (await shell(home, ['-c', `grep "${what}" mail_logs`])).stdout
  const big = (bytes: number): string => Array.from({ length: bytes / 64 }, () => 'x'.repeat(62)).join('\\n')

  it('sends over TLS', async () => {
    const { code, stdout } = await swaks('tls@example.com', '--tls')
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    expect(stdout).toMatch(/=== TLS started with cipher TLSv1\.3/)
    await until('it is in the mailbox', () => delivered(home).length === 1)
    expect(await story('TLS success')).toMatch(/ICID \d+ TLS success protocol TLSv1\.3/)
  })

  it.each(['PLAIN', 'LOGIN'])('authenticates with %s under TLS, and may then send to anybody', async (mechanism) => {
    const auth = ['--tls', '--auth', mechanism, '--auth-user', 'ann', '--auth-password', PASS]
    const { code, stdout } = await swaks('bob@elsewhere.example', ...auth, '--quit-after', 'RCPT')
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    expect(stdout).toMatch(/<~ {2}235 2\.7\.0 /)
    expect(await story(`using AUTH mechanism: ${mechanism}`)).toMatch(/SMTP Auth: \(ICID \d+\) succeeded for user: ann/)
  })

  it('submits where TLS begins with the connection, with a name only (RFC 8314, RFC 6409)', async () => {
    const to = ['--server', `127.0.0.1:${smtps}`, '--from', 'ann@example.com', '--to', 'bob@elsewhere.example']
    const auth = ['--auth', 'PLAIN', '--auth-user', 'ann', '--auth-password', PASS]
    const { code, stdout } = await run('swaks', [...to, '--tls-on-connect', ...auth, '--quit-after', 'RCPT'])
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    expect(stdout).toMatch(/=== TLS started with cipher TLSv1\.3[^]*<~ {2}220 [^]*<~ {2}235 2\.7\.0 /)
    expect(stdout).not.toContain('STARTTLS')
    const nameless = await run('swaks', [...to, '--tls-on-connect', '--quit-after', 'RCPT'])
    expect(nameless.stdout).toMatch(/<~\* 530 5\.7\.0 /)
    const plain = await run('swaks', [...to, '--timeout', '2', '--quit-after', 'EHLO'])
    expect(plain.code).not.toBe(0)
    expect(plain.stdout).not.toMatch(/<- /)
  })

  it('is refused with a wrong passphrase, and without one may not send to anybody', async () => {
    const wrong = await swaks(
      'bob@elsewhere.example',
      '--tls',
      '--auth',
      'PLAIN',
      '--auth-user',
      'ann',
      '--auth-password',
      'no',
    )
    expect(wrong.code).toBe(28)
    expect(wrong.stdout).toMatch(/<~\* 535 5\.7\.8 /)
    const relay = await swaks('bob@elsewhere.example', '--tls', '--quit-after', 'RCPT')
    expect(relay.code).toBe(24)
    expect(relay.stdout).toMatch(/<~\* 550 5\.1\.0 /)
  })

  it('is not offered AUTH in plain text', async () => {
    const { code, stdout } = await swaks(
      'bob@example.com',
      '--auth',
      'PLAIN',
      '--auth-user',
      'ann',
      '--auth-password',
      PASS,
    )
    expect(code).toBe(28)
    expect(stdout).not.toMatch(/250.AUTH/)
  })

  it('reads the limit of SIZE, is refused at MAIL when it says more, and after the data when it said nothing', async () => {
    const offered = await swaks('size@example.com', '--quit-after', 'EHLO')
    expect(offered.stdout).toMatch(/<- {2}250-SIZE 65536/)
    // swaks has no way to say SIZE= at MAIL.
    const client = await SmtpClient.open(gateway.port)
    expect((await client.command('MAIL FROM:<a@partner.example.net> SIZE=65536 BODY=8BITMIME')).code).toBe(250)
    await client.command('RSET', 250)
    const declared = await client.command('MAIL FROM:<a@partner.example.net> SIZE=65537')
    expect(`${declared.code} ${declared.text}`).toMatch(/^552 5\.3\.4 /)
    await client.quit()
    const before = delivered(home).length
    const sent = await swaks('size@example.com', '--body', big(131_072))
    expect(sent.code).toBe(26)
    expect(sent.stdout).toMatch(/<\*\* 552 5\.3\.4 /)
    const small = await swaks('size@example.com', '--body', big(32_768))
    expect(small.code).toBe(0)
    await until('only the small one is delivered', () => delivered(home).length === before + 1)
  })

  it('sends MAIL, several RCPT and DATA in one go, with one recipient that is refused', async () => {
    const { code, stdout } = await swaks('one@example.com,two@example.com,no@elsewhere.example', '--pipeline')
    expect(`${code} ${stdout}`).toMatch(/^0 /)
    expect(stdout).toMatch(/ -> MAIL FROM:.*\n(?: -> RCPT TO:.*\n){3} -> DATA\n<- {2}250 2\.1\.0 /)
    expect(stdout).toMatch(/250 2\.0\.0 ok: Message \d+ accepted/)
    expect(stdout).toMatch(/550 5\.1\.0 /)
  })
})
