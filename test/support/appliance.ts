import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collect, ended, run, until } from './processes.ts'
import type { Finished, RunOptions } from './processes.ts'
import { answers, freePort } from './ports.ts'
import { root } from './root.ts'

export const program = join(root, 'bin/lychgate.mjs')

export const freshHome = (): string => mkdtempSync(join(tmpdir(), 'lychgate-'))
export const removeHome = (home: string): void => rmSync(home, { recursive: true, force: true })

/** `lychgate --home HOME ...args` with `input` on standard input, to its end. */
export const shell = async (
  home: string,
  args: readonly string[],
  input?: string,
  options: RunOptions = {},
): Promise<Finished> =>
  await run(process.execPath, [program, '--home', home, ...args], {
    ...options,
    ...(input === undefined ? {} : { input }),
  })

/** A running `lychgate serve`. */
export interface Serving {
  readonly pid: number
  readonly home: string
  readonly port: number
  /** Everything it has printed. */
  output(): string
  /** SIGTERM, and its exit. */
  stop(): Promise<Finished>
  /** SIGKILL, and its end. */
  kill(): Promise<void>
}

export interface ServeOptions {
  /** Where it must listen; a new home gets it by `--smtp`. */
  readonly port?: number
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts `lychgate serve` and waits until its control socket and its listener answer. */
export const serve = async (home: string, options: ServeOptions = {}): Promise<Serving> => {
  const port = options.port ?? (await freePort())
  const args = [program, '--home', home, '--smtp', `127.0.0.1:${port}`, ...(options.args ?? []), 'serve']
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  const out = collect(child)
  const text = (): string => `${out().stdout}${out().stderr}`
  const end = ended(child)
  const ready = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`serve ended early:\n${text()}`)
    return (await answers({ path: join(home, 'control.sock') })) && (await answers({ port }))
  }
  try {
    await until('serve answers', ready, 20_000)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${String(error)}\n${text()}`)
  }
  return {
    pid: child.pid ?? 0,
    home,
    port,
    output: text,
    stop: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const { code, signal } = await end
      clearTimeout(timer)
      return { code, signal, ...out() }
    },
    kill: async () => {
      child.kill('SIGKILL')
      await end
    },
  }
}
