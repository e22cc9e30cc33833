import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort } from '../support/ports.ts'
import { collect, ended, until, which } from '../support/processes.ts'

/** Debian's Rspamd as a milter that scans in its own processes. */
export interface Rspamd {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Modules that ask the DNS (or a server of their own): they would measure the network. */
const OFF = ['rbl', 'spf', 'dkim', 'dkim_signing', 'dmarc', 'arc', 'asn', 'mx_check', 'fuzzy_check', 'hfilter']

/** Why it cannot be used here; null = it can. */
export const noRspamd = (): string | null => (which('rspamd') === null ? 'rspamd is not installed' : null)

export const startRspamd = async (): Promise<Rspamd> => {
  const folder = mkdtempSync(join(tmpdir(), 'rspamd-'))
  chmodSync(folder, 0o777)
  const port = await freePort()
  const local = join(folder, 'etc', 'local.d')
  mkdirSync(local, { recursive: true })
  for (const name of ['db', 'run', 'log']) {
    mkdirSync(join(folder, name))
    chmodSync(join(folder, name), 0o777)
  }
  const file = (name: string, text: string): void => writeFileSync(join(local, name), `${text}\n`)
  for (const name of OFF) file(`${name}.conf`, 'enabled = false;')
  for (const name of ['normal', 'controller']) file(`worker-${name}.inc`, 'enabled = false;')
  file(
    'worker-proxy.inc',
    `bind_socket = "127.0.0.1:${port}"; milter = yes; count = 2; upstream "local" { default = yes; self_scan = yes; }`,
  )
  file('options.inc', 'dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }')
  const variables = [
    `LOCAL_CONFDIR=${folder}/etc`,
    `DBDIR=${folder}/db`,
    `RUNDIR=${folder}/run`,
    `LOGDIR=${folder}/log`,
  ]
  const user = process.getuid?.() === 0 ? ['-u', '_rspamd', '-g', '_rspamd'] : ['-i']
  const child = spawn(
    which('rspamd') ?? 'missing',
    ['-f', ...user, '-c', '/etc/rspamd/rspamd.conf', ...variables.flatMap((v) => ['--var', v])],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const out = collect(child)
  const end = ended(child)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await end
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    // It compiles its expressions first.
    await until('rspamd listens', async () => await answers({ port }), 180_000)
  } catch (error) {
    await stop()
    throw new Error(`${String(error)}\n${out().stdout}${out().stderr}`)
  }
  return { port, pid: child.pid ?? 0, stop }
}
