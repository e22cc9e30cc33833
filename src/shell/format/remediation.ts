import type { LocalTime } from '../../core/localtime.ts'
import { defangUrl } from '../../core/defang.ts'
import { printable, printableCut } from '../../core/text.ts'
import type { JobState, RemediationJob } from '../../remediation/ports.ts'

const ACTIONS = { delete: 'Delete', forward: 'Forward', forward_and_delete: 'Forward and Delete' } as const
export const JOB_STATES: Readonly<Record<JobState, string>> = {
  'waiting-approval': 'Waiting for approval',
  pending: 'Pending',
  done: 'Remediated',
  failed: 'Failed',
  skipped: 'Skipped',
  undone: 'Put back',
  withdrawn: 'Verdict withdrawn',
}

const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)))
  return rows.map((r) =>
    r
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export const jobTable = (jobs: readonly RemediationJob[]): readonly string[] => {
  const head = ['Job', 'Batch', 'MID', 'Recipient', 'Action', 'Status']
  const rows = jobs.map((j) => [
    String(j.id),
    String(j.batch),
    String(j.delivery.mid),
    printableCut(j.delivery.recipient, 40),
    ACTIONS[j.action],
    `${JOB_STATES[j.state]}${j.withdrawn && j.state === 'done' ? ', verdict withdrawn' : ''}`,
  ])
  const [title = '', ...lines] = columns([head, ...rows])
  return [title, '-'.repeat(Math.max(title.length, ...lines.map((l) => l.length))), ...lines]
}

export const jobDetails = (job: RemediationJob, time: LocalTime): readonly string[] => {
  const { delivery } = job
  const rows: readonly (readonly [string, string | null])[] = [
    ['Job', String(job.id)],
    ['Batch', String(job.batch)],
    ['Status', `${JOB_STATES[job.state]}${job.detail === '' ? '' : ` (${printable(job.detail)})`}`],
    ['MID', String(delivery.mid)],
    ['Message-ID', delivery.messageId === null ? 'none' : printable(delivery.messageId)],
    ['Subject', printableCut(delivery.subject, 200)],
    ['Sender', delivery.sender === '' ? '<>' : printable(delivery.sender)],
    ['Recipient', printable(delivery.recipient)],
    ['Delivered', time.stampZone(delivery.deliveredAt)],
    ['URL', printableCut(defangUrl(job.url), 500)],
    ['Action', ACTIONS[job.action]],
    ['Verdict', job.withdrawn ? 'withdrawn' : null],
    ['Profile', job.profile ?? 'none mapped'],
    ['Attempts', String(job.attempts)],
    ['Next attempt', job.nextAttemptAt === null ? null : time.stampZone(job.nextAttemptAt)],
    ['Last change', time.stampZone(job.updatedAt)],
  ]
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${`${name}:`.padEnd(14)}${value}`]))
}
