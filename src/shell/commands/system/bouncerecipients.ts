import { endRecipients } from '../../end-recipients.ts'

export default endRecipients({
  verb: 'bounce',
  doing: 'Bouncing',
  done: 'bounced',
  summary: 'Bounce messages in the delivery queue',
  note: 'The senders are told with a delivery status notification; mail with the null sender is dropped.',
})
