import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { freshHome, removeHome, shell } from '../support/appliance.ts'
import { mailPaths } from '../support/mailboxes.ts'
import { answers, freePort } from '../support/ports.ts'
import { startPostfix } from '../support/postfix.ts'
import { collect, ended, until } from '../support/processes.ts'
import { root } from '../support/root.ts'
import { startSink } from './sink.ts'
import type { Sink } from './sink.ts'

/** A server under measurement, running all through the bench. */
export interface Contender {
  readonly name: string
  readonly port: number
  /** Messages that have reached their end, ever. */
  finished(): number
  stop(): Promise<void>
}

export interface LychgateOptions {
  readonly name: string
  /** false: nothing is synced to disk. */
  readonly durable: boolean
  /** Where messages go: a next hop that counts them, or the embedded mailboxes. */
  readonly to: 'next hop' | 'mailboxes'
}

/** What a gateway must be told so that every message goes to the sink. */
const routes = (sink: Sink | null): string =>
  sink === null ? '' : `smtproutes new example.net [127.0.0.1]:${sink.port}\ncommit "bench" Y\n`

export const startLychgate = async ({ name, durable, to }: LychgateOptions): Promise<Contender> => {
  const home = freshHome()
  const port = await freePort()
  const sink = to === 'next hop' ? await startSink() : null
  const accept = sink === null ? 'example.com' : 'example.net'
  const seed = ['--hostname', 'mail.example.com', '--smtp', `127.0.0.1:${port}`, '--accept', accept]
  const settings = await shell(home, seed, `${routes(sink)}version\n`)
  if (settings.code !== 0) throw new Error(`${name}: ${settings.stdout}${settings.stderr}`)
  const args = [join(root, 'test/support/run.mjs'), 'test/bench/gateway.ts', home, durable ? 'durable' : 'unsynced']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root })
  const out = collect(child)
  const end = ended(child)
  await until(`${name} listens`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${out().stdout}${out().stderr}`)
    return await answers({ port })
  })
  return {
    name,
    port,
    finished: () => sink?.count() ?? mailPaths(home).length,
    stop: async () => {
      child.kill('SIGTERM')
      await end
      await sink?.stop()
      removeHome(home)
    },
  }
}

export const startRelay = async (name: string): Promise<Contender> => {
  const sink = await startSink()
  const postfix = await startPostfix({ kind: 'relay', port: sink.port })
  return {
    name,
    port: postfix.port,
    finished: () => sink.count(),
    stop: async () => {
      await postfix.stop()
      await sink.stop()
    },
  }
}
