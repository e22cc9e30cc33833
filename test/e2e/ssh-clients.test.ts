import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shell } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { noOpenSsh } from '../support/openssh.ts'
import type { OpenSsh } from '../support/openssh.ts'
import { openSshGateway } from '../support/ssh-gateway.ts'
import type { SshGateway } from '../support/ssh-gateway.ts'
import { run, which } from '../support/processes.ts'
import { openTmux } from '../support/tmux.ts'

const why = noOpenSsh()

/** A Python that has paramiko; Debian's package belongs to /usr/bin/python3. */
const python = ['/usr/bin/python3', 'python3'].find((command) => {
  try {
    execFileSync(command, ['-c', 'import paramiko'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

describe.skipIf(why !== null)(`clients of the SSH server${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let opened: SshGateway
  let home: string
  let folder: string
  let gateway: Serving
  let port: number
  let client: OpenSsh
  beforeAll(async () => {
    opened = await openSshGateway()
    ;({ home, folder, port, gateway, client } = opened)
    const key = await client.key('anna', '-t', 'ed25519')
    const people = ['userconfig', 'new', 'anna', 'Anna Example', '1', 'y', '']
    const script = [...people, 'sshconfig', 'userkey', 'user', '2', 'new', key, '', '', '', 'commit "people" N']
    const made = await shell(home, [], `${script.join('\n')}\n`)
    expect(`${made.code} ${made.stdout}${made.stderr}`).toMatch(/^0 /)
  }, 60_000)
  afterAll(async () => {
    await opened.close()
  })

  const command = (): readonly string[] => [
    ...['ssh', '-F', '/dev/null', '-p', String(port), '-o', 'StrictHostKeyChecking=no', '-o', 'IdentitiesOnly=yes'],
    ...['-o', `UserKnownHostsFile=${join(folder, 'known')}`, '-i', join(folder, 'anna'), 'anna@127.0.0.1'],
  ]

  it.skipIf(which('expect') === null)('expect changes a setting, commits and rolls back', async () => {
    const script = `
      set timeout 20
      spawn ${command().join(' ')}
      expect -re {\\nmail.example.com> $}
      send "sethostname expected.example.com\\r"
      expect -re {\\nmail.example.com> $}
      send "commit\\r"
      expect -re {\\n\\[\\]> $}
      send "by expect\\r"
      expect -re {\\[Y\\]> $}
      send "y\\r"
      expect -re {\\nexpected.example.com> $}
      send "rollbackconfig\\r"
      expect -re {\\n\\[.*\\]> $}
      send "2\\r"
      expect -re {\\[N\\]> $}
      send "y\\r"
      expect -re {\\[[YN]\\]> $}
      send "y\\r"
      expect -re {\\nmail.example.com> $}
      send "quit\\r"
      expect eof
      catch wait result
      puts "STATUS [lindex $result 3]"
    `
    const { stdout } = await run('expect', ['-c', script], { input: '' })
    expect(stdout).toMatch(/STATUS 0/)
    expect(stdout.match(/Changes committed/g)?.length, stdout).toBeGreaterThanOrEqual(1)
    expect((await shell(home, ['-c', 'showchanges; rollbackconfig'])).stdout).not.toContain('expected.example.com> ')
  })

  it.skipIf(python === undefined)(
    'paramiko waits for prompts at the start of a line, with a window of 0×0',
    async () => {
      const file = join(folder, 'automation.py')
      writeFileSync(
        file,
        [
          'import sys, paramiko',
          'port, key = int(sys.argv[1]), paramiko.Ed25519Key.from_private_key_file(sys.argv[2])',
          'client = paramiko.SSHClient()',
          'client.set_missing_host_key_policy(paramiko.AutoAddPolicy())',
          "client.connect('127.0.0.1', port, 'anna', pkey=key, look_for_keys=False, allow_agent=False, timeout=20)",
          "channel = client.invoke_shell(term='vt100', width=0, height=0)",
          'channel.settimeout(20)',
          'def until(expected):',
          "    text = ''",
          "    while text.replace('\\r', '').split('\\n')[-1] != expected:",
          '        chunk = channel.recv(65536).decode()',
          "        if not chunk: raise Exception('closed after ' + repr(text))",
          '        text += chunk',
          '    return text',
          "TOP = 'mail.example.com> '",
          'def send(line, expected=TOP):',
          "    channel.send(line + '\\n')",
          '    return until(expected)',
          'until(TOP)',
          "print(send('whoami'))",
          "print(send('sethostname', '[mail.example.com]> '))",
          "print(send('robot.example.com'))",
          "print(send('showchanges'))",
          'channel.resize_pty(300, 100)',
          'print(send(\'grep "Grüße 日本" mail_logs\'))',
          "channel.send('clearchanges\\n')",
          "text = ''",
          "while not text.endswith(' [Y]> '): text += channel.recv(65536).decode()",
          "send('y')",
          "channel.send('quit\\n')",
          "print('QUIT', channel.recv_exit_status())",
          "stdin, stdout, stderr = client.exec_command('nosuch; version')",
          "print('EXEC', stdout.channel.recv_exit_status(), stdout.read().decode())",
          'try:',
          "    client.open_sftp(); print('SFTP')",
          "except paramiko.SSHException as e: print('NO SFTP')",
          '',
        ].join('\n'),
      )
      const { stdout, stderr } = await run(python ?? '', [file, String(port), join(folder, 'anna')])
      expect(stderr).toBe('')
      expect(stdout).toContain('Username: anna')
      expect(stdout).toContain('hostname: mail.example.com -> robot.example.com')
      // Typed and shown again as it is: UTF-8 both ways.
      expect(stdout).toContain('grep "Grüße 日本" mail_logs')
      expect(stdout).toMatch(/EXEC 1 Unknown command or missing feature key: nosuch\n/)
      expect(stdout).toContain('NO SFTP')
    },
  )

  it.skipIf(which('tmux') === null).each([
    { columns: 20, rows: 5 },
    { columns: 300, rows: 100 },
  ])('a terminal of $columns×$rows is edited and paged in, and may change its size', async (size) => {
    const tmux = await openTmux(command(), size)
    try {
      await tmux.sees(/mail\.example\.com> ?$/m)
      // Ü goes with one Backspace, though it is two bytes.
      await tmux.keys('whoamiÜ', 'BSpace', 'Enter')
      await tmux.sees(size.columns === 20 ? /Groups:/ : /Username: anna/)
      await tmux.keys('help', 'Enter')
      if (size.rows === 5) {
        await tmux.sees(/-Press Any Key/)
        await tmux.resize(100, 100)
        await tmux.keys('Space')
        await tmux.sees(/websecurityconfig[^]*mail\.example\.com> ?$/m)
      } else await tmux.sees(/websecurityconfig[^]*mail\.example\.com> ?$/m)
      await tmux.keys('quit', 'Enter')
    } finally {
      await tmux.close()
    }
  })

  it('shows the banner before the login and the welcome after it', async () => {
    const set =
      'adminaccessconfig\nbanner\nnew\nAuthorised use only.\n.\nwelcome\nnew\nMind the queue.\n.\n\ncommit "b" N\n'
    const done = await shell(home, [], set)
    expect(`${done.code} ${done.stdout}`).toMatch(/^0 /)
    const { stdout, stderr } = await client.ssh({ user: 'anna', key: 'anna', args: ['-tt'], input: 'quit\n' })
    expect(stderr).toContain('Authorised use only.')
    expect(stdout).toMatch(/Mind the queue\.[^]*A session without input for 30 minutes ends/)
    expect(stdout).not.toContain('Authorised')
  })

  const connected = (more: ssh2.ConnectConfig = {}): Promise<ssh2.Client> =>
    new Promise((resolve, reject) => {
      const connection = new ssh2.Client()
      connection.once('ready', () => resolve(connection)).once('error', reject)
      const privateKey = readFileSync(join(folder, 'anna'))
      connection.connect({ host: '127.0.0.1', port, username: 'anna', privateKey, ...more })
    })

  it('refuses every request that is not the shell', async () => {
    // An agent that is not there: its forwarding is asked for all the same.
    const connection = await connected({ agent: join(folder, 'agent'), agentForward: true })
    type Done = (error?: Error | null) => void
    const tried = async (ask: (done: Done) => void): Promise<string> =>
      await new Promise((resolve) => ask((error) => resolve(error instanceof Error ? 'refused' : 'granted')))
    const requests: Readonly<Record<string, (done: Done) => void>> = {
      'a connection to a port': (done) => connection.forwardOut('127.0.0.1', 1, '127.0.0.1', gateway.port, done),
      'a port that listens': (done) => connection.forwardIn('127.0.0.1', 0, done),
      'a connection to a socket': (done) => connection.openssh_forwardOutStreamLocal(join(home, 'control.sock'), done),
      'a socket that listens': (done) => connection.openssh_forwardInStreamLocal(join(folder, 'x'), done),
      sftp: (done) => connection.sftp(done),
      'a subsystem': (done) => connection.subsys('netconf', done),
      X11: (done) => connection.exec('version', { x11: true, agentForward: false } as never, done),
      'an agent': (done) => connection.exec('version', done),
    }
    const outcome: Record<string, string> = {}
    for (const [name, ask] of Object.entries(requests)) outcome[name] = await tried(ask)
    expect(outcome).toEqual(Object.fromEntries(Object.keys(requests).map((name) => [name, 'refused'])))
    connection.end()
  })
})
