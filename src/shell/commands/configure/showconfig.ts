import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { askPassphrases, configurationHeader, passphrasesWord } from '../../format/configuration.ts'
import type { Passphrases } from '../../format/configuration.ts'
import { misused, wordForm } from '../../options.ts'

const USAGE = 'showconfig [mask|encrypt]'

const show = (session: Session, passphrases: Passphrases): Promise<void> =>
  session.page(session.appliance.config.exportLines({ passphrases, header: configurationHeader(session) }))

export default defineCommand({
  name: 'showconfig',
  summary: 'Show the running configuration',
  description:
    'Shows the running configuration as the XML file that saveconfig writes. Passphrases are masked or encrypted. ' +
    'A script is not asked how and gets them masked.',
  category: 'configure',
  roles: READERS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], [0, 1], async (session, [word = 'mask']) => {
      const passphrases = passphrasesWord(word)
      if (passphrases === null) throw misused(`There is nothing to do with '${word}'.`, USAGE)
      await show(session, passphrases)
    }),
  ],
  run: async (session) => {
    // `lychgate -c showconfig` has nobody to answer, and the next line of a script is a command.
    const passphrases = session.terminal.batch === undefined ? await askPassphrases(session) : 'mask'
    await show(session, passphrases)
  },
})
