import { userInfo } from 'node:os'
import { runIntelCommand } from './intel-serve.ts'
import { machineParts } from './machine.ts'

/** `lychgate intel …`: ends at SIGTERM or Ctrl-C. */
export const intel = async (words: readonly string[], home: string): Promise<void> => {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  await runIntelCommand(words, {
    home,
    env: machineParts().env,
    user: userInfo().username,
    print: (line) => void process.stdout.write(`${line}\n`),
    signal: stop.signal,
  })
}
