import { describe, expect, it } from 'vitest'
import command from '../../../../../src/shell/commands/monitor/remediation.ts'
import type { JobState, RemediationJob, RemediationService } from '../../../../../src/remediation/ports.ts'
import { entryOf, runInShell } from '../../../../support/shell-harness.ts'
import { delivery } from '../../../../support/remediation.ts'

const at = new Date('2022-03-30T00:20:10Z')
const job = (id: number, state: JobState, more: Partial<RemediationJob> = {}): RemediationJob => ({
  id,
  batch: 3,
  url: 'http://phish.cua.com/x\u001b[2J',
  delivery: delivery(id, { subject: 'a\u001b]0;title\u0007', recipient: 'user@example.com' }),
  action: 'delete',
  profile: 'embedded_mailboxes',
  state,
  withdrawn: false,
  attempts: 1,
  nextAttemptAt: null,
  detail: '',
  createdAt: at,
  updatedAt: at,
  ...more,
})

const inShell = async (jobs: readonly RemediationJob[], ...answers: readonly string[]) => {
  const calls: string[] = []
  const remediation: Partial<RemediationService> = {
    list: (f = {}) => jobs.filter((j) => (f.state ?? j.state) === j.state && (f.batch ?? j.batch) === j.batch),
    job: (id) => jobs.find((j) => j.id === id),
    approve: async (batch, user) => {
      calls.push(`approve ${batch} ${user}`)
      return 2
    },
    undo: async (id, user) => {
      calls.push(`undo ${id} ${user}`)
      await Promise.resolve()
    },
  }
  const { terminal } = await runInShell({
    answers,
    commands: [entryOf(command)],
    parts: { remediation: remediation as RemediationService },
  })
  return { calls, shown: terminal.transcript() }
}

describe('remediation', () => {
  it('lists jobs, of a batch or of a state', async () => {
    const jobs = [job(2, 'done'), job(1, 'waiting-approval', { batch: 4 })]
    const { shown } = await inShell(jobs, 'remediation list', 'remediation list 4', 'remediation list done')
    expect(shown.match(/^2 {4}3 /gm)).toHaveLength(2)
    expect(shown.match(/^1 {4}4 .*Waiting for approval$/gm)).toHaveLength(2)
  })

  it('shows a job without a control byte and without a live link', async () => {
    const { shown } = await inShell([job(1, 'failed', { detail: 'EACCES\u009b31m' })], 'remediation show 1')
    expect(shown).toContain('Status:       Failed (EACCES\\x9b31m)')
    expect(shown).toContain('BLOCKEDphish[.]cua[.]com/x')
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  it('approves in the dialogue only after saying what it would touch', async () => {
    const jobs = [job(1, 'waiting-approval'), job(2, 'waiting-approval')]
    const declined = await inShell(jobs, 'remediation', 'approve', '', 'n', '')
    expect(declined.shown).toContain('Remediate 2 messages in 1 mailbox? [N]> n')
    expect(declined.calls).toEqual([])
    const approved = await inShell(jobs, 'remediation', 'approve', '3', 'y', '')
    expect(approved.calls).toEqual(['approve 3 admin'])
    expect(approved.shown).toContain('Batch 3 is approved: 2 messages to remediate.')
  })

  it('undoes in the dialogue and in batch', async () => {
    const { calls, shown } = await inShell([job(5, 'done')], 'remediation', 'undo', '5', '', 'remediation undo 5')
    expect(calls).toEqual(['undo 5 admin', 'undo 5 admin'])
    expect(shown).toContain('The message of job 5 is back in the mailbox of user@example.com.')
  })

  it('offers only what can be done', async () => {
    const { shown } = await inShell([job(1, 'pending')], 'remediation', '')
    expect(shown).not.toContain('- APPROVE')
    expect(shown).not.toContain('- UNDO')
  })
})
