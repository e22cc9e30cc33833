import { isIP } from 'node:net'
import { system } from '../config/sections/system.ts'
import { UserError } from '../core/errors.ts'
import { emailAddress, text } from '../core/schema.ts'
import { printable } from '../core/text.ts'
import type { SmtpProbe, SmtpReply } from '../services/diagnostics.ts'
import type { Session } from './command.ts'
import { readForm, readValue } from './options.ts'
import { addressesOf, askSource, hostAndPort, interruptible, sameFamily, sourceNamed } from './remote.ts'

/* The test of a remote SMTP server: `smtpping`, and SMTPPING of `diagnostic network`. */

export interface SmtpTest {
  readonly host: string
  readonly port: number
  /** An address of ours; null = the system chooses. */
  readonly source: string | null
  readonly from: string
  readonly to: string
  /** null = the conversation ends before DATA and nothing is sent. */
  readonly message: string | null
}

export const SMTP_TEST_OPTIONS = {
  '--interface=NAME': 'the interface to connect from',
  '--from=ADDRESS': 'the sender of the envelope; postmaster of this appliance without it',
  '--to=ADDRESS': 'the recipient of the envelope; postmaster of the host without it',
}
export const smtpTestUsage = (command: string): string =>
  `${command} HOST[:PORT] [--interface=NAME] [--from=ADDRESS] [--to=ADDRESS]`

const ok = (reply: SmtpReply, what: string, print: Session['print']): void => {
  const said = `${reply.code} ${printable(reply.lines.at(-1) ?? '')}`.trimEnd()
  if (reply.code >= 400) throw new UserError(`Command ${what} failed: ${said}`)
  print(`Command ${what} succeeded`)
}

const converse = async (session: Session, probe: SmtpProbe, test: SmtpTest): Promise<void> => {
  const { print } = session
  const { hostname } = session.running.get(system)
  if (probe.greeting.code >= 400)
    throw new UserError(
      `The host refuses the connection: ${probe.greeting.code} ${printable(probe.greeting.lines.at(-1) ?? '')}`,
    )
  ok(await probe.command(`EHLO ${hostname}`), 'EHLO', print)
  ok(await probe.command(`MAIL FROM:<${test.from}>`), 'MAIL FROM', print)
  ok(await probe.command(`RCPT TO:<${test.to}>`), 'RCPT TO', print)
  if (test.message !== null) {
    ok(await probe.command('DATA'), 'DATA', print)
    // Dot-stuffing, RFC 5321 §4.5.2.
    const lines = test.message.split('\n').map((line) => line.replace(/\r$/, '').replace(/^\./, '..'))
    ok(await probe.command([...lines, '.'].join('\r\n')), 'message', print)
  }
  await probe.command('QUIT').catch(() => undefined)
}

export const testSmtp = async (session: Session, test: SmtpTest): Promise<void> => {
  const { print } = session
  const { clock } = session.appliance.env
  await interruptible(session, async (signal) => {
    const begun = clock.monotonic()
    print(`Starting SMTP test of host ${test.host}.`)
    const address = sameFamily(await addressesOf(session, test.host, signal), test.source, test.host)
    if (isIP(test.host) === 0) print(`Resolved '${test.host}' to ${address}.`)
    const probe = await session.appliance.diagnostics.smtp(address, test.port, test.source, signal)
    try {
      print(`Connection to ${address} succeeded.`)
      await converse(session, probe, test)
    } finally {
      probe.close()
    }
    print(`Test complete.  Total time elapsed ${((clock.monotonic() - begun) / 1000).toFixed(2)} seconds`)
  })
}

const defaults = (session: Session, host: string): { readonly from: string; readonly to: string } => ({
  from: `postmaster@${session.running.get(system).hostname}`,
  to: isIP(host) === 0 ? `postmaster@${host}` : `postmaster@[${isIP(host) === 6 ? 'IPv6:' : ''}${host}]`,
})

/** MX hosts of a domain, best first; none for an address or where DNS does not answer. */
const exchangers = async (session: Session, host: string): Promise<readonly string[]> => {
  if (isIP(host) !== 0) return []
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    const found = await session.appliance.network.resolve(host, 'MX', signal).catch(() => [])
    return [...found].sort((a, b) => (a.preference ?? 0) - (b.preference ?? 0)).map((mx) => mx.value)
  } finally {
    done()
  }
}

const MAX_LINE = 998

export const askSmtpTest = async (session: Session): Promise<void> => {
  const { ask, print } = session
  const target = await ask.field('Enter the hostname or IP address of the SMTP server:', hostAndPort)
  const mx = (await exchangers(session, target.host)).filter((name) => name !== '')
  let { host } = target
  if (mx.length > 0) {
    print('The domain you entered has MX records.')
    if (await ask.confirm('Would you like to select an MX host to test instead?', true))
      host = await ask.pick('Select an MX host to test.', mx, printable, 0)
  }
  const source = await askSource(session, 'Select a network interface to use for the test.')
  const preset = defaults(session, host)
  const send = await ask.confirm(
    'Do you want to type in a test message to send?  If not, the connection will be tested but no email will be sent.',
    false,
  )
  if (!send) return await testSmtp(session, { host, port: target.port, source, ...preset, message: null })
  const from = await ask.field('Enter the From e-mail address:', emailAddress, preset.from)
  const to = await ask.field('Enter the To e-mail address:', emailAddress, preset.to)
  const subject = await ask.field('Enter the Subject:', text({ max: MAX_LINE }), 'Test Message')
  const body = await ask.paste("Enter the Body of the message one line at a time.  End with '.' on a line by itself.")
  const head = [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Date: ${date(session)}`, '']
  await testSmtp(session, { host, port: target.port, source, from, to, message: [...head, body].join('\n') })
}

/** RFC 5322 §3.3, in UTC. */
const date = ({ appliance }: Session): string => appliance.env.clock.now().toUTCString().replace('GMT', '+0000')

export const runSmtpTest = async (session: Session, usage: string, args: readonly string[]): Promise<void> => {
  const { words, options } = readForm(usage, args, { min: 1, max: 1, values: ['interface', 'from', 'to'] })
  const target = readValue(hostAndPort, words[0] ?? '')
  const preset = defaults(session, target.host)
  await testSmtp(session, {
    ...target,
    source: sourceNamed(session, options['interface']),
    from: options['from'] === undefined ? preset.from : readValue(emailAddress, options['from']),
    to: options['to'] === undefined ? preset.to : readValue(emailAddress, options['to']),
    message: null,
  })
}
