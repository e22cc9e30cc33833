import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, program, removeHome, serve, shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { openSsh } from '../support/openssh.ts'
import type { OpenSsh } from '../support/openssh.ts'
import { noSshd, openSshd, systemUser } from '../support/sshd.ts'

const why = noSshd()
const LOGIN = 'lgtestlogin'
const FORCED = 'lgtestforced'

describe.skipIf(why !== null)(`the host's own sshd${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let home: string
  let folder: string
  let gateway: Serving
  let client: OpenSsh
  const closing: (() => Promise<void>)[] = []
  beforeAll(async () => {
    home = freshHome()
    folder = freshHome()
    chmodSync(folder, 0o755)
    gateway = await serve(home, { args: ['--hostname', 'mail.example.com'] })
    const start = `LYCHGATE_HOME=${home} exec ${process.execPath} ${program}`
    // The two scripts of docs/operations/ssh.md.
    const loginShell = script('lychgate-shell', `${start} "$@"`)
    const force = script(
      'lychgate-force',
      `[ -n "$SSH_ORIGINAL_COMMAND" ] && ${start} -c "$SSH_ORIGINAL_COMMAND"\n${start}`,
    )
    for (const [name, path] of [
      [LOGIN, loginShell],
      [FORCED, '/bin/sh'],
    ] as const) {
      const user = await systemUser(name, path)
      closing.unshift(async () => await user.remove())
    }
    const authorized = await openSsh(folder, 1).key('key', '-t', 'ed25519')
    const config = [`Match User ${FORCED}`, `  ForceCommand ${force}`, '  AllowTcpForwarding no', '  X11Forwarding no']
    const sshd = await openSshd(folder, { authorized, config })
    closing.unshift(async () => await sshd.close())
    client = openSsh(folder, sshd.port)
    const people = ['new', 'lena', 'Lena', '2', 'y', 'new', 'fred', 'Fred', '3', 'y']
    const sockets = ['socket', '2', LOGIN, 'socket', '3', FORCED, '']
    const made = await shell(home, [], `${['userconfig', ...people, ...sockets].join('\n')}\ncommit "sockets" N\n`)
    expect(`${made.code} ${made.stdout}${made.stderr}`).toMatch(/^0 /)
  }, 60_000)
  afterAll(async () => {
    for (const close of closing) await close()
    await gateway.stop()
    removeHome(home)
    removeHome(folder)
  })

  const script = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
    return path
  }

  it('gives whom it logs in the shell as a login shell, under the account of the socket', async () => {
    expect(statSync(join(home, 'sockets', LOGIN)).mode & 0o777).toBe(0o600)
    const { code, stdout } = await client.ssh({ user: LOGIN, key: 'key', words: 'whoami; version' })
    expect(code).toBe(0)
    expect(stdout).toMatch(/Username: lena[^]*Version: /)
    const bad = await client.ssh({ user: LOGIN, key: 'key', words: 'nosuch' })
    expect(`${bad.code} ${bad.stdout}`).toBe('1 Unknown command or missing feature key: nosuch\n')
    const input = 'sethostname under.sshd.example\nshowchanges\nclearchanges\ny\n'
    const piped = await client.ssh({ user: LOGIN, key: 'key', args: ['-T'], input })
    expect(`${piped.code} ${piped.stdout}`).toMatch(/^0 [^]*mail\.example\.com -> under\.sshd\.example/)
  })

  it('gives it by ForceCommand too, with the rights of that account', async () => {
    const { code, stdout } = await client.ssh({ user: FORCED, key: 'key', words: 'whoami' })
    expect(`${code} ${stdout}`).toMatch(/^0 [^]*Username: fred[^]*Groups: readonly/)
    const denied = await client.ssh({ user: FORCED, key: 'key', words: 'commit "x" N' })
    expect(`${denied.code} ${denied.stdout}`).toMatch(/^1 Unknown command .*: commit/)
  })

  it('gives a terminal, which who sees while it is there and last afterwards', async () => {
    const { code, stdout } = await client.ssh({ user: LOGIN, key: 'key', args: ['-tt'], input: 'who\nquit\n' })
    expect(code).toBe(0)
    expect(stdout).toMatch(/\r\nmail\.example\.com> who\r\n/)
    expect(stdout).toMatch(/lena +\d\d:\d\d[AP]M +\d+s +local +cli/)
    expect((await shell(home, ['-c', 'who'])).stdout).not.toContain('lena')
    expect((await shell(home, ['-c', 'last'])).stdout).toMatch(/lena +local/)
  })
})
