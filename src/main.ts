import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { UserError, errorText } from './core/errors.ts'
import { isHostname } from './core/schema.ts'
import type { HostOptions } from './main/host.ts'
import { parseSmtp } from './main/smtp-option.ts'

interface Options {
  readonly home?: string
  readonly command?: string
  readonly echo?: true
  readonly keepGoing?: true
  /** commander's form of --no-color. */
  readonly color: boolean
  readonly hostname?: string
  readonly smtp?: { readonly address: string; readonly port: number }
  readonly accept?: readonly string[]
  readonly ssh?: { readonly address: string; readonly port: number }
}

/** Exit statuses: 0 done, 1 a command failed, 2 the command line was wrong. */
const USAGE = 2

const productVersion = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version

const hostName = (text: string): string => {
  if (!isHostname(text)) throw new InvalidArgumentError('It must be a host name like mail.example.com.')
  return text
}
const smtpAddress = (text: string): { readonly address: string; readonly port: number } => {
  const parsed = parseSmtp(text)
  if (!parsed.ok) throw new InvalidArgumentError(parsed.error)
  return parsed.value
}
const domain = (text: string, before: readonly string[] | undefined): readonly string[] => {
  if (!isHostname(text.replace(/^\./, ''))) throw new InvalidArgumentError('It must be a domain like example.com.')
  return [...(before ?? []), text]
}

const hostOptions = (o: Options, homeOf: (given?: string) => string): HostOptions => ({
  home: homeOf(o.home),
  echo: o.echo === true,
  keepGoing: o.keepGoing === true,
  noColor: !o.color,
  ...(o.command === undefined ? {} : { command: o.command }),
  seed: {
    ...(o.hostname === undefined ? {} : { hostname: o.hostname }),
    ...(o.smtp === undefined ? {} : { smtp: o.smtp }),
    ...(o.accept === undefined ? {} : { accept: o.accept }),
    ...(o.ssh === undefined ? {} : { ssh: o.ssh }),
  },
})

/** The outer command line, for what an attaching client does not do itself. Resolves to the exit status. */
export const main = async (argv: readonly string[], homeOf: (given?: string) => string): Promise<number> => {
  // Whatever is created from here on is for its owner alone.
  process.umask(0o077)
  let status = 0
  const program = new Command('lychgate')
    .description(
      'An open email security gateway. Without a verb: a shell at the running appliance, or at one of its own.',
    )
    .version(productVersion(), '--version', 'print the version')
    .option('--home <dir>', 'home directory (LYCHGATE_HOME; ~/.lychgate, for root /var/lib/lychgate)')
    .option('-c, --command <commands>', 'run these commands, separated by ";", and exit')
    .option('--echo', 'print each line of the input behind its prompt')
    .option('--keep-going', 'go on after a command of the input has failed')
    .option('--no-color', 'no colour (NO_COLOR does the same)')
    .option('--hostname <name>', 'host name of a new home', hostName)
    .option('--smtp <host:port>', 'where the listener of a new home listens', smtpAddress)
    .option('--accept <domain>', 'a domain whose mail a new home accepts (repeatable)', domain)
    .option('--ssh <host:port>', 'where the SSH server of a new home listens (off without it)', smtpAddress)
    .exitOverride()
    .showSuggestionAfterError()
    .argument('[verb]')
    .action(async (verb: string | undefined) => {
      if (verb !== undefined)
        program.error(`error: unknown verb '${verb}'; a command of the shell is run with: lychgate -c '${verb}'`)
      const { hostShell } = await import('./main/host.ts')
      status = await hostShell(hostOptions(program.opts<Options>(), homeOf))
    })
  program
    .command('serve')
    .description('run the appliance in the foreground until SIGTERM or Ctrl-C')
    .option('--user <name>', 'work as this user once the ports are bound (LYCHGATE_USER; needs root)')
    .action(async (options: { readonly user?: string }) => {
      const { serve } = await import('./main/serve.ts')
      const user = options.user ?? (process.env['LYCHGATE_USER'] || undefined)
      status = await serve(hostOptions(program.opts<Options>(), homeOf), user)
    })
  program
    .command('intel')
    .description(
      'the intelligence service: serve devices over HTTPS, or work on its data (intel without words lists how)',
    )
    .argument('[words...]')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_words: readonly string[], _options: object, command: Command) => {
      const { intel } = await import('./main/intel-verb.ts')
      await intel(command.args, homeOf(program.opts<Options>().home))
    })
  program
    .command('spool')
    .description('check, list or export the mail of a stopped appliance (spool without words lists how)')
    .argument('[words...]')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_words: readonly string[], _options: object, command: Command) => {
      const { spool } = await import('./main/spool-verb.ts')
      status = await spool(command.args, homeOf(program.opts<Options>().home))
    })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
    if (!(error instanceof UserError)) throw error
    process.stderr.write(`lychgate: ${errorText(error)}\n`)
    return 1
  }
}
