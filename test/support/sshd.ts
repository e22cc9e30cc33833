import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answers, freePort } from './ports.ts'
import { collect, ended, run, until, which } from './processes.ts'

/** Why the host's own sshd cannot be started here; null = it can. */
export const noSshd = (): string | null => {
  if (process.getuid?.() !== 0) return 'not root'
  const missing = ['sshd', 'useradd', 'userdel', 'ssh', 'ssh-keygen'].filter((program) => which(program) === null)
  return missing.length > 0 ? `no ${missing.join(', ')}` : null
}

/** A user of this machine that exists as long as a test does. */
export const systemUser = async (name: string, shell: string): Promise<{ remove(): Promise<void> }> => {
  // `*`: no password fits, but the account is not locked.
  const args = ['--system', '--no-create-home', '--home-dir', '/', '--password', '*', '--shell', shell, name]
  // What a test that was cut off left behind; -f: a session of it may still be ending.
  const remove = async (): Promise<void> => void (await run(which('userdel') ?? 'userdel', ['-f', name]))
  await remove()
  const made = await run(which('useradd') ?? 'useradd', args)
  if (made.code !== 0) throw new Error(`useradd ${name}: ${made.stderr}`)
  return { remove }
}

/** /usr/sbin/sshd on a port of its own, with its own host key and configuration; the machine's own one is not touched. */
export const openSshd = async (
  folder: string,
  options: { readonly authorized: string; readonly config: readonly string[] },
): Promise<{ readonly port: number; close(): Promise<void> }> => {
  const port = await freePort()
  const hostKey = join(folder, 'sshd_host_key')
  const made = await run('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', hostKey])
  if (made.code !== 0) throw new Error(made.stderr)
  const authorized = join(folder, 'authorized_keys')
  writeFileSync(authorized, `${options.authorized}\n`, { mode: 0o644 })
  const config = join(folder, 'sshd_config')
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    'PidFile none',
    `AuthorizedKeysFile ${authorized}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PrintMotd no',
    'PrintLastLog no',
    ...options.config,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  // Where it drops its rights; Debian makes it when its service starts, and here nothing starts.
  if (!existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 })
  const child = spawn(which('sshd') ?? 'sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = collect(child)
  const end = ended(child)
  await until('sshd answers', async () => {
    if (child.exitCode !== null) throw new Error(`sshd ended:\n${out().stderr}`)
    return await answers({ port })
  })
  return {
    port,
    close: async () => {
      child.kill('SIGTERM')
      await end
    },
  }
}
