import { urlRetrospection } from '../../../config/sections/url-retrospection.ts'
import { UserError } from '../../../core/errors.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { prerequisites } from '../../format/retro-check.ts'
import { misused, readForm, wordForm } from '../../options.ts'
import { integer, yesNo } from '../../../core/schema.ts'

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

const days = integer(1, 90)
const HOURS_A_DAY = 24

const watched = (watchScored: boolean, watchHours: number): string =>
  `URLs ${watchScored ? 'with and without a score' : 'without a score'} are watched for ${watchHours / HOURS_A_DAY} days.`

const setWatch = (session: Session, change: { readonly watchScored?: boolean; readonly watchHours?: number }): void => {
  const value = { ...session.draft.get(urlRetrospection), ...change }
  session.draft.set(urlRetrospection, value)
  session.print(watched(value.watchScored, value.watchHours))
}

const SETUP = 'urlretroservice setup [--scored=yes|no] [--days=DAYS]'

const setup = async (session: Session, args: readonly string[]): Promise<void> => {
  const { scored, days: lasting } = readForm(SETUP, args, { min: 0, max: 0, values: ['scored', 'days'] }).options
  const value = session.draft.get(urlRetrospection)
  if (scored === undefined && lasting === undefined) {
    const { ask } = session
    const watchScored = await ask.confirm('Do you want to watch URLs that have a score as well?', value.watchScored)
    const question = 'How many days are URLs watched?'
    const present = Math.min(90, Math.max(1, Math.round(value.watchHours / HOURS_A_DAY)))
    setWatch(session, { watchScored, watchHours: (await ask.field(question, days, present)) * HOURS_A_DAY })
    return
  }
  const flag = scored === undefined ? undefined : yesNo.parse(scored)
  if (flag?.ok === false) throw misused(flag.error, SETUP)
  const length = lasting === undefined ? undefined : days.parse(lasting)
  if (length?.ok === false) throw misused(length.error, SETUP)
  setWatch(session, {
    ...(flag === undefined ? {} : { watchScored: flag.value }),
    ...(length === undefined ? {} : { watchHours: length.value * HOURS_A_DAY }),
  })
}

/** Exits 1 when a point is missing, so that a script can ask. */
const check = (session: Session): void => {
  const { retro, version } = session.appliance
  const status = retro.status()
  const points = prerequisites(session.running, status, version)
  const staged = prerequisites(session.draft, status, version)
  points.forEach((point, i) => {
    session.print(
      `${i + 1}. ${point.holds ? 'OK      ' : 'MISSING '} ${point.what}`,
      ...point.found.map((f) => `            ${f}`),
    )
    if (point.holds) return
    const open = staged[i]?.holds === true ? [] : point.mend.filter((m) => staged[i]?.mend.includes(m))
    if (open.length < point.mend.length) session.print('            Mend it: commit (the change is staged)')
    session.print(...open.map((m) => `            Mend it: ${m}`))
  })
  session.print('')
  const missing = points.filter((p) => !p.holds).length
  if (missing > 0) throw new UserError(`${missing} of ${points.length} points ${missing === 1 ? 'is' : 'are'} missing.`)
  session.print(`All ${points.length} points hold.`)
}

const form = (word: string, run: (session: Session) => void | Promise<void>): Form =>
  wordForm(`urlretroservice ${word}`, [word], 0, run)

export default defineCommand({
  name: 'urlretroservice',
  summary: 'Enable, disable or poll the URL retrospective service',
  description:
    'The URL retrospective service watches URLs of incoming messages that had no score when they came. When one turns ' +
    'malicious later, an alert tells so, and Mailbox Auto Remediation can take the message out of the mailbox ' +
    '(websecurityconfig). "poll" asks the service now; "check" goes through everything that this needs, and says what is ' +
    'missing and which command mends it; "setup" says which URLs are watched, and for how long.',
  options: {
    '--scored=yes|no': 'watch URLs that had a score when they came as well',
    '--days=DAYS': 'how long a URL is watched, 1 to 90 days',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    form('enable', (session) => setEnabled(session, true)),
    form('disable', (session) => setEnabled(session, false)),
    form('status', showStatus),
    form('check', check),
    { usage: SETUP, words: ['setup'], run: setup },
    form('poll', poll),
  ],
})
