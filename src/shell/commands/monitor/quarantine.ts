import { UserError } from '../../../core/errors.ts'
import { printable, printableCut } from '../../../core/text.ts'
import { quarantines } from '../../../config/sections/quarantines.ts'
import type { QuarantinedMessage } from '../../../mail/quarantine.ts'
import { decodeHeader } from '../../../mail/message/encoded-words.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { wordForm } from '../../options.ts'

const midOf = (word: string): number => {
  if (!/^\d{1,15}$/.test(word)) throw new UserError(`'${printableCut(word, 60)}' is no MID.`)
  return Number(word)
}

const headline = ({ entry, quarantine }: QuarantinedMessage): string =>
  `MID ${entry.mid} "${printable(quarantine)}" From: <${printableCut(entry.sender, 60)}> To: ` +
  `${printableCut(entry.recipients.map((r) => `<${r.address}>`).join(', '), 100)} ` +
  `Subject "${printableCut(decodeHeader(entry.subject), 80)}"`

const list = async (session: Session, name: string | undefined): Promise<void> => {
  if (name !== undefined && !session.running.get(quarantines).some((q) => q.name === name))
    throw new UserError(`There is no quarantine '${printableCut(name, 60)}'. Names are case-sensitive.`)
  const held = session.appliance.quarantine.list(name)
  if (held.length === 0) session.print('No messages in quarantine.')
  else await session.page([...held.map(headline), `${held.length} messages in quarantine.`])
}

const MAX_SHOWN = 65_536

const show = async (session: Session, mid: number): Promise<void> => {
  const { appliance } = session
  const held = appliance.quarantine.find(mid)
  if (!held) throw new UserError(`MID ${mid} is not in quarantine. See "quarantine list".`)
  const body = await appliance.quarantine.body(mid)
  const text = body.subarray(0, MAX_SHOWN).toString('latin1').split(/\r?\n/).map(printable)
  await session.page([
    headline(held),
    `Reason: ${printable(held.reason)}`,
    `In quarantine since: ${appliance.time.stampZone(held.since)}`,
    `Until: ${appliance.time.stampZone(held.until)}`,
    '',
    ...text,
    ...(body.length > MAX_SHOWN ? [`(${body.length - MAX_SHOWN} more bytes)`] : []),
  ])
}

/** One after another; the first that is not there ends it and says which. Of `all` that one is passed over. */
const each = async (
  session: Session,
  words: readonly string[],
  act: (mid: number) => Promise<void>,
  done: string,
): Promise<void> => {
  const { quarantine } = session.appliance
  const all = words[0] === 'all'
  const mids = all ? quarantine.list().map((m) => m.entry.mid) : words.map(midOf)
  if (mids.length === 0) session.print('No messages in quarantine.')
  for (const mid of mids) {
    try {
      await act(mid)
      session.print(`MID ${mid} ${done}.`)
    } catch (error) {
      if (!all || !(error instanceof UserError)) throw error
      session.print(error.message)
    }
  }
}

const form = (
  word: string,
  takes: string,
  count: readonly [number, number],
  run: (session: Session, words: readonly string[]) => Promise<void>,
): Form => wordForm(`quarantine ${word} ${takes}`, [word], count, run)

export default defineCommand({
  name: 'quarantine',
  summary: 'List, show, release or delete messages in quarantine',
  description:
    'Messages that a filter sent to quarantine are held, not lost. A released message goes on to delivery where it ' +
    'left the path; a deleted one is gone. What nobody decides, the retention of the quarantine ends.',
  category: 'monitor',
  roles: OPERATORS,
  needsCommit: false,
  forms: [
    form('list', '[NAME]', [0, 1], (session, [name]) => list(session, name)),
    form('show', 'MID', [1, 1], (session, [mid = '']) => show(session, midOf(mid))),
    form('release', 'MID...|all', [1, 1000], (session, words) =>
      each(session, words, (mid) => session.appliance.quarantine.release(mid, 'manual'), 'released from quarantine'),
    ),
    form('delete', 'MID...|all', [1, 1000], (session, words) =>
      each(session, words, (mid) => session.appliance.quarantine.delete(mid, 'manual'), 'deleted from quarantine'),
    ),
  ],
  run: (session) => list(session, undefined),
})
