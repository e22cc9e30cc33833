import { defineCommand } from '../../command.ts'
import { suspendedDomains } from '../../suspension.ts'

export default defineCommand({
  name: 'resume',
  summary: 'Resume receiving and delivery',
  description:
    'Resumes receiving on every listener and delivery in general. Domains that were suspended one by one stay suspended ' +
    'until "resumedel".',
  category: 'system',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  run: async (session) => {
    const { appliance, user, print } = session
    const names = appliance.traffic.suspended('receiving').map((s) => s.name)
    if (names.length > 0) await appliance.traffic.resumeReceiving(names, user.name)
    print('Receiving resumed.')
    await appliance.traffic.resumeDelivery([''], user.name)
    print('Mail delivery resumed.')
    const domains = suspendedDomains(session)
    if (domains.length > 0)
      print(
        `Delivery is still suspended for: ${domains.join(', ')}`,
        'Domains that were suspended individually must be resumed individually, with "resumedel".',
      )
  },
})
