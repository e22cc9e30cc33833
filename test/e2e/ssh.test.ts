import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { noOpenSsh, openSsh } from '../support/openssh.ts'
import type { OpenSsh } from '../support/openssh.ts'
import { openSshGateway } from '../support/ssh-gateway.ts'
import type { SshGateway } from '../support/ssh-gateway.ts'
import { freePort } from '../support/ports.ts'
import { run, until, which } from '../support/processes.ts'

const why = noOpenSsh()
const PASSPHRASE = 'Snow-fall-2022'

describe.skipIf(why !== null)(`the OpenSSH client${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let opened: SshGateway
  let home: string
  let folder: string
  let gateway: Serving
  let port: number
  let client: OpenSsh
  let first: string
  beforeAll(async () => {
    opened = await openSshGateway()
    ;({ home, folder, port, gateway, client } = opened)
    first = readFileSync(join(home, 'first-passphrase'), 'utf8').trim()
    const key = await client.key('anna', '-t', 'ed25519')
    const rsa = await client.key('rsa', '-t', 'rsa', '-b', '2048')
    const script = [
      'userconfig',
      ...['new', 'anna', 'Anna Example', '1', 'n', PASSPHRASE, PASSPHRASE],
      ...['new', 'rita', 'Rita Reader', '3', 'n', PASSPHRASE, PASSPHRASE, ''],
      ...['sshconfig', 'userkey', 'user', '2', 'new', key, rsa, '', '', ''],
      'commit "people" N',
    ]
    const made = await shell(home, [], `${script.join('\n')}\n`)
    expect(`${made.code} ${made.stdout}${made.stderr}`).toMatch(/^0 /)
  }, 60_000)
  afterAll(async () => {
    await opened.close()
  })

  const log = async (): Promise<string> => (await shell(home, ['-c', 'grep . authentication'])).stdout

  it('comes in with the first passphrase, whose file goes then', async () => {
    expect(statSync(join(home, 'first-passphrase')).mode & 0o777).toBe(0o600)
    expect(gateway.output()).not.toContain(first)
    const { code, stdout } = await client.ssh({ passphrase: first, words: 'whoami' })
    expect(code).toBe(0)
    expect(stdout).toContain('Username: admin')
    expect(existsSync(join(home, 'first-passphrase'))).toBe(false)
    expect(await log()).toContain(
      'The user admin successfully logged on from 127.0.0.1 with privilege administrator using an SSH connection (passphrase).',
    )
  })

  it('runs commands, and ends with their status', async () => {
    const good = await client.ssh({ user: 'anna', key: 'anna', words: 'version; whoami' })
    expect(good.code).toBe(0)
    expect(good.stdout).toMatch(/Version: [^]*Username: anna/)
    const bad = await client.ssh({ user: 'anna', key: 'anna', words: 'nosuch; whoami' })
    expect(bad.code).toBe(1)
    expect(bad.stdout).toBe('Unknown command or missing feature key: nosuch\n')
    expect(bad.stdout).not.toContain('\r')
  })

  it('reads a script, changes, commits and rolls back', async () => {
    const input = 'sethostname second.example.com\ncommit "second" Y\nrollbackconfig\n2\ny\ny\nversion\n'
    const { code, stdout } = await client.ssh({ user: 'anna', key: 'rsa', args: ['-T'], input })
    expect(`${code} ${stdout}`).toMatch(/^0 [^]*Changes committed[^]*second\.example\.com> [^]*Version:/)
    const failed = await client.ssh({ user: 'anna', key: 'anna', args: ['-T'], input: 'nosuch\nversion\n' })
    expect(`${failed.code} ${failed.stdout}`).toMatch(/^1 (?![^]*Version:)/)
    expect(failed.stderr).toContain('Stopped at line 1')
  })

  it('gives a terminal: prompts at the start of a line, echo, CR LF, and the time of the last login', async () => {
    const input = 'who\nquit\n'
    const { code, stdout } = await client.ssh({ user: 'anna', key: 'anna', args: ['-tt'], input })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Last login: .* from 127\.0\.0\.1\r\n/)
    expect(stdout).toMatch(/\r\nmail\.example\.com> who\r\n/)
    expect(stdout).toMatch(/anna +\d\d:\d\d[AP]M +0s +127\.0\.0\.1 +cli\r\n/)
    // Every line feed has its return.
    expect(stdout.replaceAll('\r\n', '')).not.toContain('\n')
  })

  it('keeps secrets off the terminal', async () => {
    const input = `passwd\n${PASSPHRASE}\nn\nRain-fall-2023\nRain-fall-2023\nquit\n`
    const { stdout } = await client.ssh({ user: 'rita', passphrase: PASSPHRASE, args: ['-tt'], input })
    expect(stdout).toContain('Passphrase changed.')
    expect(stdout).not.toMatch(/fall/)
    const again = await client.ssh({ user: 'rita', passphrase: 'Rain-fall-2023', words: 'whoami' })
    expect(again.stdout).toContain('Groups: readonly')
    const audit = (await shell(home, ['-c', 'grep . cli_logs'])).stdout
    expect(audit).not.toMatch(/Snow-fall|Rain-fall/)
  })

  it('lets a read-only operator stage, but not commit', async () => {
    const input = 'sethostname other.example.com\nshowchanges\ncommit\n'
    const { code, stdout } = await client.ssh({ user: 'rita', passphrase: 'Rain-fall-2023', args: ['-T'], input })
    expect(code).toBe(1)
    expect(stdout).toMatch(/hostname: mail\.example\.com -> other\.example\.com[^]*Unknown command .*: commit/)
  })

  it('negotiates modern algorithms with strict key exchange, and no others', async () => {
    const { stderr } = await client.ssh({ user: 'anna', key: 'anna', args: ['-vv'], words: 'whoami' })
    expect(stderr).toMatch(/kex: algorithm: curve25519-sha256/)
    expect(stderr).toMatch(/kex: host key algorithm: ssh-ed25519/)
    expect(stderr).toMatch(/server->client cipher: aes\d+-(gcm@openssh\.com|ctr)/)
    expect(stderr).toMatch(/kex-strict-s-v00@openssh\.com/)
    expect(stderr).toMatch(/strict KEX ordering|resetting read seqnr/)
    const peer = stderr.slice(stderr.indexOf('peer server KEXINIT proposal'))
    const offered = peer.slice(0, peer.indexOf('kex: algorithm:'))
    expect(offered).not.toMatch(/sha1|-cbc|arcfour|3des|md5|group1-|group14-|ssh-dss|ssh-rsa\b|zlib/)
    const sha1 = ['-o', 'PubkeyAcceptedAlgorithms=ssh-rsa']
    expect((await client.ssh({ user: 'anna', key: 'rsa', args: sha1, words: 'whoami' })).code).toBe(255)
    for (const weak of [
      'HostKeyAlgorithms=ssh-rsa',
      'KexAlgorithms=diffie-hellman-group14-sha1',
      'Ciphers=aes128-cbc',
      'MACs=hmac-sha1',
    ])
      // AES-GCM needs no MAC of its own.
      expect(
        (
          await client.ssh({
            user: 'anna',
            key: 'anna',
            args: ['-o', weak, ...(weak.startsWith('MACs') ? ['-o', 'Ciphers=aes256-ctr'] : [])],
            words: 'whoami',
          })
        ).stderr,
      ).toMatch(/no matching|Unable to negotiate/)
  })

  it('refuses whatever is not the shell', async () => {
    const forwarded = await client.ssh({
      user: 'anna',
      key: 'anna',
      args: ['-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:25'],
      words: 'whoami',
    })
    expect(`${forwarded.code} ${forwarded.stderr}`).toMatch(/^255 [^]*remote port forwarding failed/)
    const tunnel = await client.ssh({ user: 'anna', key: 'anna', args: ['-W', `127.0.0.1:${gateway.port}`] })
    expect(`${tunnel.code} ${tunnel.stderr}`).toMatch(/^255 [^]*administratively prohibited/)
    for (const subsystem of ['sftp', 'netconf']) {
      const { code, stderr } = await client.ssh({ user: 'anna', key: 'anna', args: ['-s'], words: subsystem })
      expect(`${code} ${stderr}`).toMatch(/^255 [^]*subsystem request failed/)
    }
    const agent = await client.ssh({ user: 'anna', key: 'anna', args: ['-A', '-X'], words: 'whoami' })
    expect(agent.stdout).toContain('Username: anna')
    const scp = await client.ssh({ user: 'anna', key: 'anna', words: 'scp -f /etc/passwd' })
    expect(`${scp.code} ${scp.stdout}`).toMatch(/^1 Unknown command .*: scp/)
  })

  it.skipIf(which('expect') === null)('is driven by expect', async () => {
    const script = `
      set timeout 15
      spawn ssh -F /dev/null -p ${port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=${folder}/known -o IdentitiesOnly=yes -i ${folder}/anna anna@127.0.0.1
      expect -re {\\nmail.example.com> $}
      send "sethostname expected.example.com\\r"
      expect -re {\\nmail.example.com> $}
      send "commit\\r"
      expect -re {\\n\\[\\]> $}
      send "by expect\\r"
      expect -re {\\[Y\\]> $}
      send "y\\r"
      expect -re {\\nexpected.example.com> $}
      send "sethostname mail.example.com\\r"
      expect -re {\\nexpected.example.com> $}
      send "commit back N\\r"
      expect -re {\\nmail.example.com> $}
      send "\\004"
      expect eof
      puts "DONE"
    `
    const { stdout } = await run('expect', ['-c', script], { input: '' })
    expect(stdout).toMatch(/DONE/)
    expect(stdout.match(/Changes committed/g)).toHaveLength(2)
  })

  it('follows its settings without a restart', async () => {
    const next = await freePort()
    const other = openSsh(folder, next)
    const set = (p: number): string => `sshconfig\nsshd\nsetup\ny\n\n${p}\n\n\n\n\n\ncommit "port" N\n`
    expect((await shell(home, [], set(next))).code).toBe(0)
    expect((await other.ssh({ user: 'anna', key: 'anna', words: 'whoami' })).code).toBe(0)
    expect((await client.ssh({ user: 'anna', key: 'anna', words: 'whoami' })).code).toBe(255)
    // A port that somebody has refuses the commit; the server goes on where it was.
    const taken = await shell(home, [], set(gateway.port))
    expect(`${taken.code} ${taken.stdout}`).toMatch(/^1 [^]*SSH cannot listen/)
    expect((await shell(home, [], set(port))).code).toBe(0)
    const banner = 'adminaccessconfig\nbanner\nnew\nAuthorised use only.\n.\n\ncommit "banner" N\n'
    expect((await shell(home, [], banner)).code).toBe(0)
    expect((await client.ssh({ user: 'anna', key: 'anna', words: 'whoami' })).stderr).toContain('Authorised use only.')
  })

  it('ends the sessions of a user who is locked, and lets nobody in under that name', async () => {
    const session = client.ssh({
      user: 'rita',
      passphrase: 'Rain-fall-2023',
      args: ['-tt'],
      input: 'tail system_logs\n',
      hold: 8,
    })
    await until('rita is there', async () => /rita/.test((await shell(home, ['-c', 'who'])).stdout))
    expect((await shell(home, [], 'userconfig\nstatus\n3\ny\n\ncommit "lock" N\n')).code).toBe(0)
    expect((await session).stdout).toContain('the account rita has changed')
    expect((await client.ssh({ user: 'rita', passphrase: 'Rain-fall-2023', words: 'whoami' })).code).toBe(255)
  })

  it('shuts out whoever guesses, and nobody else', async () => {
    for (let i = 0; i < 3; i++) await guess(4)
    expect(await log()).toMatch(/Passphrases from 127\.0\.0\.1 are refused for 60 seconds after 10 failed attempts/)
    // The right one is of no use from there, a key is.
    expect((await client.ssh({ user: 'anna', passphrase: PASSPHRASE, words: 'whoami' })).code).toBe(255)
    expect((await client.ssh({ user: 'anna', key: 'anna', words: 'whoami' })).code).toBe(0)
    const since = Date.now()
    const elsewhere = { user: 'anna', passphrase: PASSPHRASE, words: 'whoami', args: ['-b', '127.0.0.2'] }
    expect((await client.ssh(elsewhere)).code).toBe(0)
    expect(Date.now() - since).toBeLessThan(2000)
    const seen = (await client.ssh({ user: 'anna', key: 'anna', words: 'last' })).stdout
    expect(seen).toMatch(/admin +127\.0\.0\.1 .*refused, 12 times/)
  }, 60_000)

  const guess = async (times: number): Promise<void> => {
    await Promise.all(
      Array.from({ length: times }, async () => {
        expect((await client.ssh({ passphrase: 'Wrong-guess-1', words: 'whoami' })).code).toBe(255)
      }),
    )
  }

  it('keeps its host keys over a restart', async () => {
    await gateway.stop()
    gateway = opened.gateway = await serve(home, { port: gateway.port })
    const known = { user: 'anna', key: 'anna', args: ['-o', 'StrictHostKeyChecking=yes'], words: 'whoami' }
    expect((await client.ssh(known)).code).toBe(0)
    for (const name of ['ed25519', 'rsa'])
      expect(statSync(join(home, `keys/ssh_host_${name}_key`)).mode & 0o777).toBe(0o600)
    rmSync(join(folder, 'known'))
  })
})
