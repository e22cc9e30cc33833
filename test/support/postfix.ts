import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort } from './ports.ts'
import { collect, ended, run, until, which } from './processes.ts'

/** A Postfix of our own on a loopback port, in a folder of its own. */
export interface Postfix {
  readonly port: number
  /** The father of all its processes. */
  readonly pid: number
  /** Where it delivers mail for its own domain: `mail/all/new`. */
  readonly folder: string
  log(): string
  stop(): Promise<void>
}

export type PostfixRole =
  | { readonly kind: 'mailboxes'; readonly domain: string }
  /** Hands mail for its domain to an LMTP server. */
  | { readonly kind: 'lmtp'; readonly domain: string; readonly port: number }
  /** Takes everything and relays it to another server. */
  | {
      readonly kind: 'relay'
      readonly port: number
      /** Port of a filter that is asked about each message. */ readonly milter?: number
    }
  /** Takes everything, keeps it safe, and throws it away. */
  | { readonly kind: 'discard' }

/** Why Postfix cannot be used here; null = it can. */
export const noPostfix = (): string | null => {
  if (which('postfix') === null) return 'postfix is not installed'
  return process.getuid?.() === 0 ? null : 'postfix must be started by root'
}

const userId = async (flag: '-u' | '-g', user: string): Promise<number> =>
  Number((await run('id', [flag, user])).stdout.trim())

const roleSettings = async (role: PostfixRole, folder: string): Promise<readonly string[]> => {
  if (role.kind === 'discard') return ['mydestination =', 'default_transport = discard', 'relay_transport = discard']
  if (role.kind === 'relay')
    return [
      `relayhost = [127.0.0.1]:${role.port}`,
      'mydestination =',
      ...(role.milter === undefined
        ? []
        : [`smtpd_milters = inet:127.0.0.1:${role.milter}`, 'milter_default_action = tempfail']),
    ]
  if (role.kind === 'lmtp')
    return [
      'mydestination =',
      `virtual_mailbox_domains = ${role.domain}`,
      'virtual_mailbox_maps = static:all',
      `virtual_transport = lmtp:inet:127.0.0.1:${role.port}`,
    ]
  const [uid, gid] = [await userId('-u', 'nobody'), await userId('-g', 'nobody')]
  mkdirSync(join(folder, 'mail'))
  chownSync(join(folder, 'mail'), uid, gid)
  return [
    'mydestination =',
    `virtual_mailbox_domains = ${role.domain}`,
    `virtual_mailbox_base = ${folder}/mail`,
    'virtual_mailbox_maps = static:all/',
    `virtual_uid_maps = static:${uid}`,
    `virtual_gid_maps = static:${gid}`,
    'virtual_minimum_uid = 1',
  ]
}

const services = (port: number): string => `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

/** `more` are further lines of main.cf. */
export const startPostfix = async (role: PostfixRole, more: readonly string[] = []): Promise<Postfix> => {
  const folder = mkdtempSync(join(tmpdir(), 'postfix-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const etc = join(folder, 'etc')
  for (const name of ['etc', 'spool', 'data']) mkdirSync(join(folder, name))
  chownSync(join(folder, 'data'), await userId('-u', 'postfix'), await userId('-g', 'postfix'))
  const settings = [
    'compatibility_level = 3.6',
    `queue_directory = ${folder}/spool`,
    `data_directory = ${folder}/data`,
    `maillog_file = ${folder}/log`,
    `maillog_file_prefixes = ${folder}`,
    'command_directory = /usr/sbin',
    'daemon_directory = /usr/lib/postfix/sbin',
    'inet_interfaces = loopback-only',
    'inet_protocols = ipv4',
    'myhostname = next-hop.example.net',
    'mynetworks = 127.0.0.0/8',
    'smtpd_relay_restrictions = permit_mynetworks, reject',
    // Names are not looked up: tests and bench stay on this machine.
    'smtpd_peername_lookup = no',
    'disable_dns_lookups = yes',
    'smtp_host_lookup = native',
    'alias_maps =',
    'local_recipient_maps =',
    'biff = no',
    'smtpd_client_connection_count_limit = 0',
    ...(await roleSettings(role, folder)),
    ...more,
  ]
  writeFileSync(join(etc, 'main.cf'), `${settings.join('\n')}\n`)
  writeFileSync(join(etc, 'master.cf'), services(port))
  const child = spawn('/usr/sbin/postfix', ['-c', etc, 'start-fg'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = collect(child)
  const end = ended(child)
  const log = (): string => `${out().stdout}${out().stderr}`
  const stop = async (): Promise<void> => {
    await run('/usr/sbin/postfix', ['-c', etc, 'stop'])
    await end
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await until('Postfix listens', async () => await answers({ port }))
  } catch (error) {
    child.kill('SIGTERM')
    throw new Error(`${String(error)}\n${log()}`)
  }
  return { port, pid: child.pid ?? 0, folder, log, stop }
}
