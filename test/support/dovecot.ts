import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort } from './ports.ts'
import { collect, ended, run, until, which } from './processes.ts'

/** A Dovecot of our own that takes mail by LMTP and shows it by IMAP; every user has the same passphrase. */
export interface Dovecot {
  readonly lmtpPort: number
  readonly imapPort: number
  /** Messages of the inbox, as IMAP gives them. */
  inbox(user: string): Promise<readonly string[]>
  stop(): Promise<void>
}

export const noDovecot = (): string | null => {
  if (which('dovecot') === null) return 'dovecot is not installed'
  return process.getuid?.() === 0 ? null : 'dovecot must be started by root'
}

export const PASSPHRASE = 'for-this-test'

/** Says the commands one after the other; all that the server answered. */
const imap = async (port: number, commands: readonly string[]): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' })
  let said = ''
  socket.on('data', (bytes) => (said += bytes.toString('latin1'))).on('error', () => undefined)
  try {
    await until('IMAP greets', () => said.startsWith('* OK'))
    for (const [n, command] of commands.entries()) {
      socket.write(`a${n} ${command}\r\n`)
      await until(`IMAP answers ${command}`, () => new RegExp(`^a${n} `, 'm').test(said))
    }
    return said
  } finally {
    socket.destroy()
  }
}

export const startDovecot = async (): Promise<Dovecot> => {
  const folder = mkdtempSync(join(tmpdir(), 'dovecot-'))
  chmodSync(folder, 0o755)
  const [lmtpPort, imapPort] = [await freePort(), await freePort()]
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'nobody'])).stdout.trim())
  const [uid, gid] = [await id('-u'), await id('-g')]
  mkdirSync(join(folder, 'mail'))
  chownSync(join(folder, 'mail'), uid, gid)
  const file = join(folder, 'dovecot.conf')
  writeFileSync(
    file,
    `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:${folder}/mail/%n
mail_uid = ${uid}
mail_gid = ${gid}
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = static
  args = password=${PASSPHRASE}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail/%n allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtpPort}
  }
}
service imap-login {
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
  )
  const child = spawn('/usr/sbin/dovecot', ['-F', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = collect(child)
  const end = ended(child)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await end
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await until(
      'Dovecot listens',
      async () => (await answers({ port: lmtpPort })) && (await answers({ port: imapPort })),
    )
  } catch (error) {
    await stop()
    throw new Error(`${String(error)}\n${out().stdout}${out().stderr}`)
  }
  return {
    lmtpPort,
    imapPort,
    inbox: async (user) => {
      const said = await imap(imapPort, [`LOGIN ${user} ${PASSPHRASE}`, 'SELECT INBOX', 'FETCH 1:* BODY[]'])
      return [...said.matchAll(/BODY\[\] \{(\d+)\}\r\n/g)].map((found) => {
        const at = found.index + found[0].length
        return said.slice(at, at + Number(found[1]))
      })
    },
    stop,
  }
}
