import { spawn } from 'node:child_process'
import { answers, freePort } from '../support/ports.ts'
import { ended, until, which } from '../support/processes.ts'

/** Postfix's smtp-sink: takes every message, counts it and throws it away. */
export interface Sink {
  readonly port: number
  /** Messages taken so far. */
  count(): number
  stop(): Promise<void>
}

export const startSink = async (): Promise<Sink> => {
  const port = await freePort()
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(which('smtp-sink') ?? 'missing', ['-c', ...user, `127.0.0.1:${port}`, '256'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  // `sess=1 quit=0 mesg=12`, rewritten in place after every message.
  child.stdout.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-200)))
  const end = ended(child)
  await until('smtp-sink listens', async () => await answers({ port }))
  return {
    port,
    count: () => Number([...text.matchAll(/mesg=(\d+)/g)].at(-1)?.[1] ?? 0),
    stop: async () => {
      child.kill('SIGTERM')
      await end
    },
  }
}
