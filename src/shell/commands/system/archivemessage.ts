import { toMbox } from '../../../mail/message/mbox.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { entryOf, midField, midOf, oneWord, wholeMessage } from '../../queue.ts'
import { writeExport } from '../../files.ts'

const archive = async (session: Session, mid: number): Promise<void> => {
  const entry = entryOf(session, mid)
  const name = `oldmessage_${mid}.mbox`
  const mbox = toMbox(await wholeMessage(session, entry), entry.sender, entry.receivedAt)
  await writeExport(session, name, mbox)
  session.print(`MID ${mid} has been saved in file ${name} in the configuration`)
}

const USAGE = 'archivemessage MID'

export default defineCommand({
  name: 'archivemessage',
  summary: 'Save a message of the queue as a file, by its MID',
  description:
    'Writes a message as an mbox file into the configuration directory of the appliance. The message stays in the queue.',
  category: 'system',
  roles: OPERATORS,
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, mid) => archive(session, midOf(mid)))],
  run: async (session) => archive(session, await session.ask.field('Enter the MID to archive.', midField, 0)),
})
