import { UserError } from '../../../core/errors.ts'
import { defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { domainsField, domainsOf } from '../../suspension.ts'
import { oneWord } from '../../queue.ts'

const suspended = ({ appliance }: Session): readonly string[] =>
  appliance.traffic.suspended('delivery').map((s) => s.name)

/** ALL ends every suspension of delivery, the individual ones too. */
const resume = async (session: Session, domains: readonly string[]): Promise<void> => {
  const now = suspended(session)
  const unknown = domains.filter((domain) => domain !== '' && !now.includes(domain))
  if (unknown.length > 0) throw new UserError(`Delivery is not suspended for: ${unknown.join(', ')}`)
  await session.appliance.traffic.resumeDelivery(
    domains.includes('') ? [...new Set(['', ...now])] : domains,
    session.user.name,
  )
  session.print('Mail delivery resumed.')
}

const USAGE = 'resumedel DOMAIN[,DOMAIN...]|all'

export default defineCommand({
  name: 'resumedel',
  summary: 'Resume delivery',
  description: 'Resumes delivery to domains that were suspended, or to all, at once.',
  category: 'system',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, word) => resume(session, domainsOf(word)))],
  run: async (session) => {
    const names = suspended(session)
    if (names.length === 0) return session.print('Delivery is not suspended.')
    session.print('Currently suspended domains:', ...names.map((name) => (name === '' ? 'ALL' : name)), '')
    await resume(
      session,
      await session.ask.field(
        'Enter one or more domains [comma-separated] to which you want to resume delivery.',
        domainsField,
        [''],
      ),
    )
  },
  complete: (session) => ['all', ...suspended(session).filter((name) => name !== '')],
})
