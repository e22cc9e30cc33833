import { isIP } from 'node:net'
import { fail, ok } from '../../../core/result.ts'
import { isHostname } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { report } from '../../queue.ts'
import { readValue, wordForm } from '../../options.ts'

/** A host name or an address, with a port behind it where it is not 25. */
const hostField: Field<string> = {
  parse: (text) => {
    const host = text.trim().toLowerCase()
    const [, name = host, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(isIP(host) === 6 ? '' : host) ?? []
    const known = isIP(host) !== 0 || isIP(name) === 4 || isHostname(name)
    return known && (port === undefined || (Number(port) > 0 && Number(port) < 65_536))
      ? ok(host)
      : fail('The value must be a hostname or an IP address. (Ex: mail3.example.com)')
  },
  format: (host) => host,
}

const redirect = async (session: Session, host: string): Promise<void> => {
  session.print('Redirecting messages, please wait.')
  await report(
    session,
    (signal) => session.appliance.queue.redirect(host, session.user.name, signal),
    ({ recipients }) => `${recipients} recipients redirected.`,
  )
}

const USAGE = 'redirectrecipients host HOST'

export default defineCommand({
  name: 'redirectrecipients',
  summary: 'Redirect all messages in the delivery queue to another host',
  description:
    'Sends everything that waits in the delivery queue to one host, whatever its recipients are, at once and past the SMTP ' +
    'routes. The host must be ready to relay that mail. Mail that arrives later goes its usual way.',
  category: 'system',
  roles: OPERATORS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, ['host'], 1, async (session, [host = '']) => {
      await redirect(session, readValue(hostField, host))
    }),
  ],
  run: async (session) => {
    const { ask, print } = session
    const host = await ask.field(
      'Please enter the hostname or IP address of the machine you want to send all mail to.',
      hostField,
    )
    print(
      `WARNING: a host that is not prepared to relay this mail will refuse it, and it bounces. Make sure that`,
      `"${host}" accepts mail for all these recipients from this machine.`,
    )
    if (await ask.confirm(`Are you sure you want to redirect all mail in the queue to "${host}"?`, false))
      await redirect(session, host)
  },
})
