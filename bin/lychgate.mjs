#!/usr/bin/env node
// Attaches to the running appliance; the product itself is loaded only when there is none, or for another verb.
// node: modules only up to that point: this is what `lychgate -c version` costs.
import { homedir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

const argv = process.argv.slice(2)
const VALUES = {
  '--home': 'home',
  '-c': 'command',
  '--command': 'command',
  '--hostname': 'seed',
  '--smtp': 'seed',
  '--accept': 'seed',
  '--ssh': 'seed',
}
const FLAGS = { '--echo': 'echo', '--keep-going': 'keepGoing', '--no-color': 'noColor' }

/** The few options of an attaching shell, or null when the line is for commander: another verb, --help, a mistake. */
const attachOptions = () => {
  const options = { echo: false, keepGoing: false, noColor: false, seeds: [] }
  for (let i = 0; i < argv.length; i++) {
    const [word, attached] = argv[i].startsWith('--') ? argv[i].split(/=(.*)/s, 2) : [argv[i]]
    const value = VALUES[word]
    if (value !== undefined) {
      const text = attached ?? argv[++i]
      if (text === undefined) return null
      if (value === 'seed') options.seeds.push(word)
      else options[value] = text
    } else if (FLAGS[word] !== undefined && attached === undefined) options[FLAGS[word]] = true
    else return null
  }
  return options
}

/** LYCHGATE_HOME; else where a service keeps its data for root, and a directory of one's own for everybody else. */
const homeOf = (given) =>
  resolve(
    given ??
      (process.env.LYCHGATE_HOME || (process.getuid?.() === 0 ? '/var/lib/lychgate' : join(homedir(), '.lychgate'))),
  )

const run = async () => {
  const options = attachOptions()
  if (options !== null) {
    const { attach } = await import('../dist/attach.js')
    const status = await attach({
      path: join(homeOf(options.home), 'control.sock'),
      own: join(homeOf(options.home), 'sockets', userInfo().username),
      echo: options.echo,
      keepGoing: options.keepGoing,
      noColor: options.noColor,
      ...(options.command === undefined ? {} : { command: options.command }),
      onAttached: () => {
        if (options.seeds.length > 0)
          process.stderr.write(`lychgate: ${options.seeds.join(', ')} only set up a new home: ignored.\n`)
      },
    })
    if (status !== null) return status
  }
  const { main } = await import('../dist/main.js')
  return main(argv, homeOf)
}

try {
  const status = await run()
  process.exitCode = status
  // What was written must be out before anything that still holds the process is cut off.
  process.stdout.write('', () => process.exit(status))
} catch (error) {
  const missing = error?.code === 'ERR_MODULE_NOT_FOUND' && /[\\/]dist[\\/]/.test(error.message)
  process.stderr.write(
    missing
      ? 'lychgate: not built yet; run `npm install` or `npm run build`.\n'
      : `lychgate: ${error?.message ?? error}\n`,
  )
  process.exitCode = 1
}
