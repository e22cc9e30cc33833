import { adminAccess } from '../config/sections/admin-access.ts'
import type { OpenSession } from './session.ts'
import type { Presence } from './terminal.ts'

/** The clock is asked at least this often: the limit may have been made shorter. */
const LOOK_MS = 60_000

/** Keeps the record of a session (`who`, `last`, cli_logs) while `work` runs, and ends it when nobody is there any more. */
export const attend = async (opened: OpenSession, work: () => Promise<number>): Promise<number> => {
  const { appliance, terminal, user } = opened.session
  const { clock } = appliance.env
  const from = terminal.origin
  const ended = new AbortController()
  // Scripts on this machine would push every person out of `last`.
  const recorded = terminal.batch === undefined || from !== 'local'
  const { presence } = terminal
  const idleMs = (): number => (presence === undefined ? 0 : Math.max(0, clock.monotonic() - presence.lastInput()))
  const login = recorded ? appliance.logins.open({ user: user.name, from, what: 'cli', idleMs }) : null
  let timedOut = false

  if (terminal.interactive) appliance.events.publish({ type: 'cli.login', user: user.name, from })
  if (presence !== undefined)
    void untilIdle(opened, presence, ended.signal).then(
      () => {
        timedOut = true
        if (from !== 'local') appliance.events.publish({ type: 'access.timed-out', user: user.name, from })
      },
      () => undefined,
    )
  try {
    return await work()
  } finally {
    ended.abort(new Error('the session has ended'))
    login?.end(timedOut ? 'timed out' : 'left')
    if (terminal.interactive) appliance.events.publish({ type: 'cli.logout', user: user.name, from })
  }
}

/** Resolves once the session was ended because no input came; rejects when it ended otherwise. */
const untilIdle = async (opened: OpenSession, presence: Presence, signal: AbortSignal): Promise<void> => {
  const { session, output } = opened
  const { clock } = session.appliance.env
  const limitMs = (): number => session.running.get(adminAccess).timeoutMinutes * 60_000
  for (;;) {
    const left = limitMs() - (clock.monotonic() - presence.lastInput())
    if (left <= 0) break
    await clock.sleep(Math.min(left, LOOK_MS), signal)
  }
  const staged = [...new Set(session.draft.changes().map((change) => change.path.split('.')[0] ?? ''))]
  output.write('\n')
  output.print(
    `This session has ended: there was no input for ${limitMs() / 60_000} minutes.`,
    ...(staged.length === 0 ? [] : [`Changes that were not committed are lost: ${staged.join(', ')}.`]),
  )
  session.leave()
  presence.hangUp()
}
