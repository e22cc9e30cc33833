import { OPERATORS, defineCommand } from '../../command.ts'
import { SMTP_TEST_OPTIONS, askSmtpTest, runSmtpTest, smtpTestUsage } from '../../smtp-test.ts'

const USAGE = smtpTestUsage('smtpping')

export default defineCommand({
  name: 'smtpping',
  summary: 'Test a remote SMTP server',
  description:
    'Speaks to an SMTP server up to RCPT TO and says what was accepted; with a typed message (dialogue only) it sends that. ' +
    'It goes past the delivery queue, SMTP routes and destination controls.',
  options: SMTP_TEST_OPTIONS,
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: askSmtpTest,
  forms: [{ usage: USAGE, words: [], run: (session, args) => runSmtpTest(session, USAGE, args) }],
})
