import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, which } from './processes.ts'
import type { Finished } from './processes.ts'

/** Why tests with the real client cannot run here; null = they can. */
export const noOpenSsh = (): string | null =>
  which('ssh') === null || which('ssh-keygen') === null ? 'no OpenSSH client' : null

export interface OpenSsh {
  /** `ssh ...args user@address words` with `input` on standard input, to its end. */
  ssh(options: SshRun): Promise<Finished>
  /** Makes a key pair; answers the line of its public half. */
  key(name: string, ...how: readonly string[]): Promise<string>
}

export interface SshRun {
  readonly user?: string
  /** Given to the client by SSH_ASKPASS, as a person would type it. */
  readonly passphrase?: string
  /** Name of a key made by `key`. */
  readonly key?: string
  readonly args?: readonly string[]
  readonly words?: string
  readonly input?: string
  readonly address?: string
  /** Keeps the input open for so many seconds after it has been sent. */
  readonly hold?: number
}

/** The real OpenSSH client, with nothing of this machine's user in it. */
export const openSsh = (folder: string, port: number): OpenSsh => {
  const askpass = join(folder, 'askpass')
  writeFileSync(askpass, '#!/bin/sh\nprintf "%s\\n" "$LG_PASSPHRASE"\n')
  chmodSync(askpass, 0o700)
  const common = ['-F', '/dev/null', '-p', String(port), '-o', 'StrictHostKeyChecking=no']
  const once = ['-o', 'NumberOfPasswordPrompts=1', '-o', `UserKnownHostsFile=${join(folder, 'known')}`]
  return {
    ssh: async ({ user = 'admin', passphrase, key, args = [], words, input = '', address = '127.0.0.1', hold }) => {
      const how =
        key === undefined
          ? ['-o', 'PreferredAuthentications=password']
          : ['-o', 'IdentitiesOnly=yes', '-o', 'PreferredAuthentications=publickey', '-i', join(folder, key)]
      const command = [
        ...common,
        ...once,
        ...how,
        ...args,
        `${user}@${address}`,
        ...(words === undefined ? [] : [words]),
      ]
      const held = ['-c', `(cat; exec sleep ${hold ?? 0}) | "$@"`, 'sh', 'ssh', ...command]
      return await run(hold === undefined ? 'ssh' : 'sh', hold === undefined ? command : held, {
        input,
        env: {
          ...process.env,
          SSH_ASKPASS: askpass,
          SSH_ASKPASS_REQUIRE: 'force',
          LG_PASSPHRASE: passphrase ?? '',
          SSH_AUTH_SOCK: '',
        },
      })
    },
    key: async (name, ...how) => {
      const made = await run('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', join(folder, name), ...how])
      if (made.code !== 0) throw new Error(made.stderr)
      return (await run('cat', [join(folder, `${name}.pub`)])).stdout.trim()
    },
  }
}
