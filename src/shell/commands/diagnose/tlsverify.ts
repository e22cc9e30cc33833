import { isIP } from 'node:net'
import { system } from '../../../config/sections/system.ts'
import { Fault, UserError } from '../../../core/errors.ts'
import { hostname } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import type { SmtpProbe } from '../../../services/diagnostics.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readForm, readValue } from '../../options.ts'
import { addressesOf, hostAndPort, interruptible } from '../../remote.ts'

const USAGE = 'tlsverify DOMAIN [HOST[:PORT]]'

/** One address: null = TLS stands and the certificate is right; else why not. */
const verify = async (session: Session, probe: SmtpProbe, domain: string, host: string): Promise<string | null> => {
  const { print } = session
  const refused = (
    what: string,
    { code, lines }: { readonly code: number; readonly lines: readonly string[] },
  ): string => `${what}: ${code} ${printable(lines.at(-1) ?? '')}`
  print(`Connected to ${probe.address}.`, 'Checking TLS connection.')
  if (probe.greeting.code !== 220) return refused('The host refuses the connection', probe.greeting)
  const ehlo = await probe.command(`EHLO ${session.running.get(system).hostname}`)
  if (ehlo.code !== 250) return refused('EHLO is refused', ehlo)
  if (!ehlo.lines.some((line) => line.trim().toUpperCase() === 'STARTTLS')) return 'The host does not offer STARTTLS.'
  const start = await probe.command('STARTTLS')
  if (start.code !== 220) return refused('STARTTLS is refused', start)
  const peer = await probe.secure(isIP(host) === 0 ? host : domain)
  print(`TLS connection established: protocol ${peer.protocol}, cipher ${peer.cipher}.`)
  print('Verifying peer certificate.')
  const names = [...new Set([...(peer.commonName === null ? [] : [peer.commonName]), ...peer.names])].map(printable)
  print(`The certificate is for ${names.join(', ') || 'no name'}, valid until ${printable(peer.validTo)}.`)
  if (peer.distrust !== null) return `Certificate verification failed: ${printable(peer.distrust)}.`
  const covered = [domain, host].find((name) => peer.covers(name))
  if (covered === undefined) return `The certificate is neither for ${domain} nor for ${host}.`
  print(`TLS certificate match ${covered}`, 'TLS certificate verified.')
  const quit = await probe.command(`EHLO ${session.running.get(system).hostname}`)
  return quit.code === 250 ? null : refused('EHLO over TLS is refused', quit)
}

const run = async (
  session: Session,
  domain: string,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> => {
  await interruptible(session, async (signal) => {
    for (const address of await addressesOf(session, host, signal)) {
      session.print(`Connecting to ${address} on port ${port}.`)
      let probe: SmtpProbe | null = null
      try {
        probe = await session.appliance.diagnostics.smtp(address, port, null, signal)
        const reason = await verify(session, probe, domain, host)
        if (reason === null) {
          session.print(`TLS connection to ${address} succeeded.`, `TLS successfully connected to ${host}.`)
          session.print('TLS verification completed.')
          return
        }
        session.print(reason)
      } catch (error) {
        if (signal.aborted || !(error instanceof Fault)) throw error
        session.print(printable(error.message))
      } finally {
        probe?.close()
      }
    }
    throw new UserError(`TLS verification failed for ${domain}.`)
  })
}

export default defineCommand({
  name: 'tlsverify',
  summary: 'Establish an outbound TLS connection and check the certificate',
  description:
    'Connects to a mail host, begins TLS and says whether its certificate is trusted and made out for the domain or the host. ' +
    'Each address of the host is tried until one is right; the command fails when none is. Nothing is sent.',
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    const { ask } = session
    const domain = await ask.field('Enter the TLS domain to verify against:', hostname)
    const target = await ask.field(
      'Enter the destination host to connect to.  Append the port (example.com:26) if you are not connecting on port 25:',
      hostAndPort,
      { host: domain, port: 25 },
    )
    await run(session, domain, target)
  },
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words } = readForm(USAGE, args, { min: 1, max: 2 })
        const domain = readValue(hostname, words[0] ?? '')
        await run(session, domain, readValue(hostAndPort, words[1] ?? domain))
      },
    },
  ],
})
