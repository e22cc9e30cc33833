import { oneOf, text } from '../../../core/schema.ts'
import { explanationLines, opinionLine } from '../../../intel/describe.ts'
import { LEVEL_WORDS } from '../../../intel/levels.ts'
import type { IntelChange } from '../../../intel/lookup.ts'
import { printable, printableCut } from '../../../core/text.ts'
import { UserError } from '../../../core/errors.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { wordForm } from '../../options.ts'
import { askService, serviceForm, serviceLine } from './intel/service.ts'
import { askSources, sourceForms, sourceLines } from './intel/sources.ts'

const level = oneOf(LEVEL_WORDS.split(', '))

const changeLines = ({ indicator, before, after, retrospections }: IntelChange): readonly string[] => [
  `${printable(indicator)}: ${before} -> ${after}`,
  ...(retrospections > 0 ? [`Retrospections recorded: ${retrospections}`] : []),
]

const set = async (session: Session, indicator: string, word: string, category: string, reason: string) => {
  const { appliance, user, print } = session
  print(...changeLines(await appliance.intel.set(indicator, word, { user: user.name, category, reason })))
}

const remove = async ({ appliance, user, print }: Session, indicator: string): Promise<void> => {
  if (!(await appliance.intel.remove(indicator, user.name)))
    throw new UserError(`The operator has said nothing of '${printableCut(indicator, 80)}'.`)
  print(`${printable(indicator)}: removed`)
}

const show = async (session: Session, indicator: string | undefined): Promise<void> => {
  const opinions = session.appliance.intel.show(indicator)
  if (opinions.length === 0) session.print(indicator === undefined ? 'The operator has said nothing.' : 'No opinions.')
  else await session.page(opinions.map((o) => opinionLine(o, session.appliance.env.clock.now())))
}

const explain = async ({ appliance, print }: Session, indicator: string): Promise<void> =>
  print(...explanationLines(await appliance.intel.explain(indicator), appliance.env.clock.now()))

const INDICATOR = 'Enter a URL or a domain:'

const askSet = async (session: Session): Promise<void> => {
  const { ask } = session
  const indicator = await ask.field(INDICATOR, text())
  const word = await ask.field(`Enter the level (${LEVEL_WORDS}):`, level)
  const category = (await ask.optional('Enter a category:', text())) ?? ''
  const reason = (await ask.optional('Enter the reason:', text())) ?? ''
  await set(session, indicator, word, category, reason)
}

const form = (
  word: string,
  argument: string,
  min: number,
  max: number,
  act: (session: Session, words: readonly string[]) => Promise<void>,
): Form => wordForm(`intelconfig ${word} ${argument}`, [word], [min, max], act)

export default defineCommand({
  name: 'intelconfig',
  summary: 'Set and explain verdicts, and configure where they come from',
  description:
    'The intelligence service holds what is said of URLs and domains: by the operator, and by files. "set" and "remove" ' +
    'act at once, also on messages delivered in the last 168 hours; "explain" shows who said what, when and why, and ' +
    'the rule that decides. Sources and the service to use need commit.',
  options: {
    '--format FORMAT': 'the format of the file or feed',
    '--level LEVEL': 'the level of entries that name none',
    '--category TEXT': 'the category of entries that name none',
    '--refresh SECONDS': 'how often it is read again',
  },
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  forms: [
    form(
      'set',
      'URL|DOMAIN LEVEL [CATEGORY] [REASON]',
      2,
      4,
      (session, [indicator = '', word = '', category = '', reason = '']) =>
        set(session, indicator, word, category, reason),
    ),
    form('remove', 'URL|DOMAIN', 1, 1, (session, [indicator = '']) => remove(session, indicator)),
    form('show', '[URL|DOMAIN]', 0, 1, (session, [indicator]) => show(session, indicator)),
    form('explain', 'URL|DOMAIN', 1, 1, (session, [indicator = '']) => explain(session, indicator)),
    ...sourceForms,
    serviceForm,
  ],
  run: async (session) => {
    const { ask, print } = session
    for (;;) {
      print(serviceLine(session), ...sourceLines(session))
      const operation = await ask.choose({
        SET: 'Set the verdict of a URL or a domain.',
        REMOVE: 'Remove a verdict that was set.',
        SHOW: 'Show the verdicts that were set.',
        EXPLAIN: 'Explain the verdict of a URL or a domain.',
        SOURCES: 'Add, delete and refresh files of verdicts.',
        SERVICE: 'Choose the intelligence service.',
      })
      if (operation === null) return
      if (operation === 'SET') await askSet(session)
      else if (operation === 'REMOVE') await remove(session, await ask.field(INDICATOR, text()))
      else if (operation === 'SHOW') await show(session, undefined)
      else if (operation === 'EXPLAIN') await explain(session, await ask.field(INDICATOR, text()))
      else if (operation === 'SOURCES') await askSources(session)
      else await askService(session)
      print('')
    }
  },
})
