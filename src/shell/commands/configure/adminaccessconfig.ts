import { addressBlock, inBlocks } from '../../../config/address-block.ts'
import { adminAccess } from '../../../config/sections/admin-access.ts'
import { UserError } from '../../../core/errors.ts'
import { integer, list } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { ADMINISTRATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'

type Settings = (typeof adminAccess)['defaults']

const get = ({ draft }: Session): Settings => draft.get(adminAccess)
const set = (session: Session, part: Partial<Settings>): void =>
  session.draft.set(adminAccess, { ...get(session), ...part })

const MAX_TEXT = 8192

const message = async (session: Session, which: 'banner' | 'welcome', name: string): Promise<void> => {
  const now = get(session)[which]
  session.print(now === null ? `No ${name} is configured.` : `The ${name} is:`)
  if (now !== null) session.print('', ...now.split('\n'))
  const operation = await session.ask.choose({
    NEW: `Enter a ${name}.`,
    ...(now === null ? {} : { DELETE: `Remove the ${name}.` }),
  })
  if (operation === 'DELETE') set(session, { [which]: null })
  if (operation !== 'NEW') return
  const pasted = await session.ask.paste(`Enter the ${name}.\nEnter '.' on its own line to end.`)
  if (pasted.length > MAX_TEXT) throw new UserError(`The ${name} must have at most ${MAX_TEXT} characters.`)
  const lines = pasted.split('\n').map(printable)
  set(session, { [which]: pasted.trim() === '' ? null : lines.join('\n') })
}

/** @throws UserError when the list would keep out the very session that sets it. */
const restrict = (session: Session, addresses: readonly string[]): void => {
  const { origin } = session.terminal
  if (origin !== 'local' && addresses.length > 0 && !inBlocks(addresses, origin))
    throw new UserError(`The list does not hold ${origin}, from where you work; you would lock yourself out.`)
  set(session, { addresses: [...addresses] })
}

const OPERATIONS = {
  BANNER: async (session: Session) => message(session, 'banner', 'login banner'),
  WELCOME: async (session: Session) => message(session, 'welcome', 'welcome message'),
  IPACCESS: async (session: Session) => {
    const { addresses } = get(session)
    session.print(`Current mode: ${addresses.length === 0 ? 'Allow All.' : `Restrict to ${addresses.join(', ')}.`}`)
    const mode = await session.ask.choose(
      {
        ALL: 'All IP addresses will be allowed to access the administrative interface.',
        RESTRICT: 'Specify the addresses and blocks that will be allowed access.',
      },
      'Please select the mode:',
    )
    if (mode === 'ALL') set(session, { addresses: [] })
    if (mode !== 'RESTRICT') return
    const question = 'Enter the addresses and blocks of addresses, separated by commas.'
    restrict(
      session,
      await session.ask.field(question, list(addressBlock), addresses.length === 0 ? undefined : addresses),
    )
  },
  TIMEOUT: async (session: Session) => {
    const timeoutMinutes = await session.ask.field(
      'Enter the number of minutes without input after which a session ends.',
      integer(5, 1440),
      get(session).timeoutMinutes,
    )
    set(session, { timeoutMinutes })
  },
} as const

export default defineCommand({
  name: 'adminaccessconfig',
  summary: 'Configure who may reach the administration, and what it says to them',
  description:
    'The addresses from which an administrator may log in over the network, the banner before the login, the message ' +
    'after it, and the time without input after which a session ends. Local sockets are never shut out.',
  category: 'configure',
  roles: ADMINISTRATORS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      const operation = await session.ask.choose({
        BANNER: 'Configure the message before the login.',
        WELCOME: 'Configure the message after the login.',
        IPACCESS: 'Configure IP-based access.',
        TIMEOUT: 'Configure the time without input after which a session ends.',
      })
      if (operation === null) return
      await OPERATIONS[operation](session)
    }
  },
})
