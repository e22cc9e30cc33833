import { freshHome, program, removeHome, serve } from '../support/appliance.ts'
import { run } from '../support/processes.ts'
import { median, table } from './measure.ts'

/** User + system time of a command and its children in milliseconds, as the shell's `time` counts it. */
const cpu = async (command: readonly string[]): Promise<number> => {
  const { stderr, code } = await run('bash', ['-c', `TIMEFORMAT='%3U %3S'; time "$@" >/dev/null`, 'time', ...command])
  const [, user, system] = /([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? []
  if (code !== 0 || user === undefined) throw new Error(`${command.join(' ')}: ${stderr}`)
  return (Number(user) + Number(system)) * 1000
}

/** `lychgate -c version` against a running appliance beside an empty Node, one after the other. */
export const startup = async (runs: number): Promise<string> => {
  const home = freshHome()
  const gateway = await serve(home)
  try {
    const empty: number[] = []
    const version: number[] = []
    for (let i = 0; i < runs; i++) {
      empty.push(await cpu([process.execPath, '-e', '0']))
      version.push(await cpu([process.execPath, program, '--home', home, '-c', 'version']))
    }
    const ms = (n: number): string => `${n.toFixed(0)} ms`
    return [
      `User + system time, median of ${runs} interleaved runs.`,
      '',
      table(
        ['command', 'CPU'],
        [
          ['`node -e 0`', ms(median(empty))],
          ['`lychgate -c version` against a running appliance', ms(median(version))],
          ['difference (limit: 60 ms)', ms(median(version) - median(empty))],
        ],
      ),
    ].join('\n')
  } finally {
    await gateway.stop()
    removeHome(home)
  }
}
