import { users } from '../../../config/sections/users.ts'
import { UserError } from '../../../core/errors.ts'
import { EVERYONE, defineCommand } from '../../command.ts'
import { anyPassphrase, askPassphrase } from '../../passphrase.ts'

export default defineCommand({
  name: 'passwd',
  summary: 'Change your passphrase',
  description: 'Asks for the old passphrase and for a new one that the policy of userconfig takes. It acts at once.',
  category: 'system',
  roles: EVERYONE,
  needsCommit: false,
  run: async (session) => {
    const { appliance, ask, user } = session
    const account = session.running.get(users).accounts.find((u) => u.name === user.name)
    if (account === undefined) throw new UserError(`There is no account ${user.name}.`)
    if (account.passphrase !== null) {
      const old = await ask.field('Old passphrase:', anyPassphrase, undefined, { bare: true, secret: true })
      if (!(await appliance.accounts.matches(account, old))) throw new UserError('The old passphrase is wrong.')
    }
    const hash = await askPassphrase(session, account, {
      first: 'New passphrase:',
      again: 'Retype new passphrase:',
    })
    await appliance.accounts.setPassphrase(user.name, hash)
    session.print('Passphrase changed.')
  },
})
