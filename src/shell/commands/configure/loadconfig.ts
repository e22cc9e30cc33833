import { listConfigurationFiles, readConfigurationFile } from '../../../config/files.ts'
import { UserError } from '../../../core/errors.ts'
import { text } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { wordForm } from '../../options.ts'

const USAGE = 'loadconfig FILE'
/** More findings than this are counted and not listed. */
const SHOWN_ERRORS = 50

const load = (session: Session, xml: string): void => {
  const errors = session.appliance.config.importText(session.draft, xml)
  if (errors.length > 0) {
    session.print(...errors.slice(0, SHOWN_ERRORS).map((e) => `Line ${e.line}: ${printableCut(e.message, 400)}`))
    const more = errors.length > SHOWN_ERRORS ? ` (${errors.length - SHOWN_ERRORS} more not shown)` : ''
    throw new UserError(`Nothing was loaded: correct the lines above${more} and load the file again.`)
  }
  session.print('Values have been loaded.', 'Be sure to run "commit" to make these settings active.')
}

export default defineCommand({
  name: 'loadconfig',
  summary: 'Load a configuration file',
  description:
    'Stages the sections of an XML configuration file, all or some of them: pasted, or from the configuration directory ' +
    'of the appliance. On any error every finding is listed with its line and nothing is loaded. Files with masked ' +
    'passphrases cannot be loaded.',
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  forms: [
    wordForm(USAGE, [], 1, async (session, [name = '']) =>
      load(session, await readConfigurationFile(session.appliance.home, name)),
    ),
  ],
  run: async (session) => {
    const { home } = session.appliance
    const sources = ['Paste via CLI', 'Load from file'] as const
    const source = await session.ask.pick('', sources, (s) => s, 0)
    if (source === sources[0]) {
      const question =
        "Paste the configuration file now. Press CTRL-D on a blank line when done, or enter a line with only '.'."
      load(session, await session.ask.paste(question, { eof: true }))
      return
    }
    const files = await listConfigurationFiles(home)
    const field = { ...text(), complete: (part: string) => files.filter((f) => f.startsWith(part)) }
    const name = await session.ask.field('Enter the name of the file to import:', field)
    load(session, await readConfigurationFile(home, name))
  },
})
