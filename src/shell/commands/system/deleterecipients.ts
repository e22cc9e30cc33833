import { endRecipients } from '../../end-recipients.ts'

export default endRecipients({
  verb: 'delete',
  doing: 'Deleting',
  done: 'deleted',
  summary: 'Delete messages from the delivery queue',
  note: 'The messages are gone and their senders are not told.',
})
