import { urlRetrospection } from '../../../config/sections/url-retrospection.ts'
import { UserError } from '../../../core/errors.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readForm } from '../../options.ts'

const switched = (enabled: boolean): string => `URL Retro Service is ${enabled ? 'enabled' : 'disabled'}.`

const setEnabled = (session: Session, enabled: boolean): void => {
  const present = session.draft.get(urlRetrospection)
  if (present.enabled !== enabled) session.draft.set(urlRetrospection, { ...present, enabled })
  session.print(switched(enabled))
}

const showStatus = (session: Session): void => {
  const { retro, time } = session.appliance
  const { state, detail, lastPollAt, watched, pending } = retro.status()
  const running = session.running.get(urlRetrospection)
  const staged = session.draft.get(urlRetrospection).enabled !== running.enabled
  session.print(
    switched(running.enabled) + (staged ? ` (${running.enabled ? 'Disabling' : 'Enabling'} it waits for commit.)` : ''),
    `URL Retrospective service status - ${state}${state === 'Connected' || !running.enabled ? '' : ` (${detail})`}`,
    `Last poll that was answered: ${lastPollAt === null ? 'none yet' : time.stampZone(lastPollAt)}`,
    `URLs watched: ${watched}`,
    `URLs waiting to be submitted: ${pending}`,
  )
}

const poll = async (session: Session): Promise<void> => {
  if (!session.running.get(urlRetrospection).enabled)
    throw new UserError('URL Retro Service is disabled. Enter "urlretroservice enable", then "commit".')
  const interrupt = session.terminal.untilInterrupt()
  try {
    const { retrospections, acted, error } = await session.appliance.retro.poll(interrupt.signal)
    session.print(`URL verdict updates: ${retrospections}`, `Messages handed to remediation: ${acted}`)
    if (error !== null) throw new UserError(`The retrospective service was not reached: ${error}`)
  } finally {
    interrupt.done()
  }
}

const form = (word: string, run: (session: Session) => void | Promise<void>): Form => {
  const usage = `urlretroservice ${word}`
  return {
    usage,
    words: [word],
    run: async (session, args) => {
      readForm(usage, args, { min: 0, max: 0 })
      await run(session)
    },
  }
}

export default defineCommand({
  name: 'urlretroservice',
  summary: 'Enable, disable or poll the URL retrospective service',
  description:
    'The URL retrospective service watches URLs of incoming messages that had no score when they came. When one turns ' +
    'malicious later, an alert tells so, and Mailbox Auto Remediation can take the message out of the mailbox ' +
    '(websecurityconfig). "poll" asks the service now.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    form('enable', (session) => setEnabled(session, true)),
    form('disable', (session) => setEnabled(session, false)),
    form('status', showStatus),
    form('poll', poll),
  ],
})
