import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { freshHome, removeHome, shell } from '../support/appliance.ts'
import { answers, freePort } from '../support/ports.ts'
import { startPostfix } from '../support/postfix.ts'
import { collect, ended, until } from '../support/processes.ts'
import { root } from '../support/root.ts'
import { startRspamd } from './rspamd.ts'
import { startSink } from './sink.ts'

/** A server under measurement, running all through the bench. */
export interface Contender {
  readonly name: string
  readonly port: number
  /** Messages of a round: enough for a second or two. */
  readonly share: number
  /** Its processes, for their CPU time. */
  readonly pids: readonly number[]
  /** Messages that have reached their end, ever; null = they end with their 250. */
  readonly finished: (() => number) | null
  stop(): Promise<void>
}

/** The main thread's event loop since the last look. */
export interface LoopDelay {
  readonly p99Ms: number
  readonly maxMs: number
}

export interface Lychgate extends Contender {
  readonly pid: number
  loopDelay(): Promise<LoopDelay>
}

/** `spool`: the work queue is paused, so that nothing but receiving is measured. `next hop`: all of the pipeline. */
export const startLychgate = async (name: string, to: 'spool' | 'next hop'): Promise<Lychgate> => {
  const home = freshHome()
  const port = await freePort()
  const sink = await startSink()
  const seed = ['--hostname', 'mail.example.com', '--smtp', `127.0.0.1:${port}`, '--accept', 'example.net']
  const pause = to === 'spool' ? 'workqueue pause bench\n' : ''
  const input = `smtproutes new example.net [127.0.0.1]:${sink.port}\ncommit "bench" Y\n${pause}version\n`
  const settings = await shell(home, seed, input)
  if (settings.code !== 0) throw new Error(`${name}: ${settings.stdout}${settings.stderr}`)
  const args = [join(root, 'test/support/run.mjs'), 'test/bench/gateway.ts', home]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], cwd: root })
  const out = collect(child)
  const end = ended(child)
  await until(`${name} listens`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${out().stdout}${out().stderr}`)
    return await answers({ port })
  })
  const pid = child.pid ?? 0
  return {
    name,
    port,
    pid,
    share: to === 'spool' ? 2 : 1,
    pids: [pid],
    finished: to === 'spool' ? null : () => sink.count(),
    loopDelay: async () =>
      await new Promise<LoopDelay>((resolve) => {
        child.once('message', (delay) => resolve(delay as LoopDelay))
        child.send('loop delay')
      }),
    stop: async () => {
      child.kill('SIGTERM')
      await end
      await sink.stop()
      removeHome(home)
    },
  }
}

export const startPostfixAccepting = async (name: string): Promise<Contender> => {
  const postfix = await startPostfix({ kind: 'discard' })
  return { name, port: postfix.port, share: 1, pids: [postfix.pid], finished: null, stop: () => postfix.stop() }
}

export const startRelay = async (name: string): Promise<Contender> => {
  const sink = await startSink()
  const postfix = await startPostfix({ kind: 'relay', port: sink.port })
  return {
    name,
    port: postfix.port,
    share: 1,
    pids: [postfix.pid],
    finished: () => sink.count(),
    stop: async () => {
      await postfix.stop()
      await sink.stop()
    },
  }
}

export const startScanningRelay = async (name: string): Promise<Contender> => {
  const rspamd = await startRspamd()
  const sink = await startSink()
  const postfix = await startPostfix({ kind: 'relay', port: sink.port, milter: rspamd.port })
  return {
    name,
    port: postfix.port,
    share: 0.3,
    pids: [postfix.pid, rspamd.pid],
    finished: () => sink.count(),
    stop: async () => {
      await postfix.stop()
      await sink.stop()
      await rspamd.stop()
    },
  }
}
