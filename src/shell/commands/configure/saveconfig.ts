import { configurationPath } from '../../../config/files.ts'
import { system } from '../../../config/sections/system.ts'
import { errorText } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import type { Field } from '../../../core/schema.ts'
import { defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { askPassphrases, configurationHeader, passphrasesWord } from '../../format/configuration.ts'
import type { Passphrases } from '../../format/configuration.ts'
import { misused, wordForm } from '../../options.ts'
import { writeExport } from '../../files.ts'

const USAGE = 'saveconfig y|n 1 | saveconfig y|n 2 NAME'

/** `Lychgate-<serial>-20140319T050635.xml` */
const generatedName = ({ appliance }: Session): string =>
  `Lychgate-${appliance.serial}-${appliance.time.fileStamp(appliance.env.clock.now())}.xml`

const fileName = (home: string): Field<string> => ({
  parse: (answer) => {
    try {
      configurationPath(home, answer.trim())
      return ok(answer.trim())
    } catch (error) {
      return fail(errorText(error))
    }
  },
  format: (name) => name,
})

const save = async (session: Session, passphrases: Passphrases, name: string): Promise<void> => {
  const { appliance, running } = session
  const lines = appliance.config.exportLines({ passphrases, header: configurationHeader(session) })
  const path = await writeExport(session, name, lines)
  session.print(
    `File written on machine "${running.get(system).hostname}" to the location "${path}".`,
    'Configuration saved.',
  )
}

export default defineCommand({
  name: 'saveconfig',
  summary: 'Save the running configuration to a file',
  description:
    'Writes the running configuration as XML to the configuration directory of the appliance. Passphrases are masked ' +
    '(the file cannot be loaded) or encrypted with the key of this appliance. In the batch form y masks, n encrypts; ' +
    '1 takes a generated file name, 2 the name that follows.',
  example: 'dialogue',
  category: 'configure',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], [2, 3], async (session, [mask = '', how = '', name]) => {
      const passphrases = passphrasesWord(mask)
      if (passphrases === null || (how === '1') !== (name === undefined) || (how !== '1' && how !== '2'))
        throw misused('These words do not go together.', USAGE)
      await save(session, passphrases, name ?? generatedName(session))
    }),
  ],
  run: async (session) => {
    const passphrases = await askPassphrases(session)
    const names = ['Use a name made by the system', 'Enter a name'] as const
    const how = await session.ask.pick('Choose the name of the file:', names, (n) => n, 0)
    const name =
      how === names[0]
        ? generatedName(session)
        : await session.ask.field('Enter the name of the file:', fileName(session.appliance.home))
    await save(session, passphrases, name)
  },
})
