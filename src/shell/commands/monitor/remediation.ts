import { UserError } from '../../../core/errors.ts'
import { integer } from '../../../core/schema.ts'
import type { JobState, RemediationJob } from '../../../remediation/ports.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { jobDetails, jobTable } from '../../format/remediation.ts'
import { wordForm } from '../../options.ts'

const STATES: readonly JobState[] = ['waiting-approval', 'pending', 'done', 'failed', 'skipped', 'undone', 'withdrawn']
const number = integer(1, Number.MAX_SAFE_INTEGER)

const some = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`

const readNumber = (what: string, word: string): number => {
  const read = number.parse(word)
  if (!read.ok) throw new UserError(`'${word}' is not the number of a ${what}. See "remediation list".`)
  return read.value
}

const list = async (session: Session, of?: string): Promise<void> => {
  const state = STATES.find((s) => s === of?.toLowerCase())
  const filter = of === undefined ? {} : state ? { state } : { batch: readNumber('batch', of) }
  const { remediation } = session.appliance
  const offered = state === 'withdrawn' ? remediation.offered().filter((j) => j.state !== 'withdrawn') : []
  const jobs = [...remediation.list(filter), ...offered]
  if (jobs.length === 0) session.print('No remediation jobs.')
  else await session.page(jobTable(jobs))
}

const find = (session: Session, id: number): RemediationJob => {
  const job = session.appliance.remediation.job(id)
  if (!job) throw new UserError(`There is no remediation job ${id}. See "remediation list".`)
  return job
}

const show = (session: Session, id: number): void =>
  session.print(...jobDetails(find(session, id), session.appliance.time))

const approve = async (session: Session, batch: number): Promise<void> => {
  const released = await session.appliance.remediation.approve(batch, session.user.name)
  session.print(`Batch ${batch} is approved: ${some(released, 'message', 'messages')} to remediate.`)
}

const deny = async (session: Session, batch: number): Promise<void> => {
  const denied = await session.appliance.remediation.deny(batch, session.user.name)
  session.print(`Batch ${batch} is denied: ${some(denied, 'message stays', 'messages stay')} in the mailbox.`)
}

/** Everything whose verdict was withdrawn; one that cannot be put back is told, and the others go on. */
const undoWithdrawn = async (session: Session): Promise<void> => {
  const offered = session.appliance.remediation.offered()
  if (offered.length === 0)
    throw new UserError('There is nothing to put back: no verdict of a deleted message was withdrawn.')
  let failed = 0
  for (const { id } of offered) {
    try {
      await undo(session, id)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      failed += 1
      session.print(error.message)
    }
  }
  if (failed > 0) throw new UserError(`${some(failed, 'message was', 'messages were')} not put back.`)
}

const undo = async (session: Session, id: number): Promise<void> => {
  const job = find(session, id)
  const interrupt = session.terminal.untilInterrupt()
  try {
    await session.appliance.remediation.undo(id, session.user.name, interrupt.signal)
  } finally {
    interrupt.done()
  }
  session.print(`The message of job ${id} is back in the mailbox of ${job.delivery.recipient}.`)
}

const form = (
  word: string,
  argument: string,
  required: boolean,
  run: (session: Session, argument?: string) => void | Promise<void>,
): Form => {
  const usage = `remediation ${word} ${argument}`
  return wordForm(usage, [word], [required ? 1 : 0, 1], (session, [given]) => run(session, given))
}

const overview = (jobs: readonly RemediationJob[]): string => {
  const count = (state: JobState): number => jobs.filter((j) => j.state === state).length
  return jobs.length === 0
    ? 'No remediation jobs.'
    : `Remediation jobs: ${count('pending')} pending, ${count('waiting-approval')} waiting for approval, ` +
        `${count('done')} remediated, ${count('failed')} failed, ${count('skipped')} skipped, ${count('undone')} put back.`
}

const dialogue = async (session: Session): Promise<void> => {
  for (;;) {
    const jobs = session.appliance.remediation.list()
    const waiting = [...new Set(jobs.filter((j) => j.state === 'waiting-approval').map((j) => j.batch))]
    session.print(overview(jobs))
    if (jobs.length === 0) return
    const operation = await session.ask.choose({
      LIST: 'List the jobs, newest first.',
      SHOW: 'Show one job.',
      ...(waiting.length > 0
        ? { APPROVE: 'Let a batch go on that waits for approval.', DENY: 'End a batch that waits for approval.' }
        : {}),
      ...(jobs.some((j) => j.state === 'done') ? { UNDO: 'Put a deleted message back into its mailbox.' } : {}),
    })
    if (operation === null) return
    if (operation === 'LIST') await list(session)
    else if (operation === 'SHOW') show(session, await session.ask.field('Enter the number of the job:', number))
    else if (operation === 'UNDO') await undo(session, await session.ask.field('Enter the number of the job:', number))
    else {
      const batch = await session.ask.field('Enter the number of the batch:', number, waiting[0])
      const held = jobs.filter((j) => j.batch === batch && j.state === 'waiting-approval')
      const mailboxes = new Set(held.map((j) => j.delivery.recipient)).size
      const question = `Remediate ${some(held.length, 'message', 'messages')} in ${some(mailboxes, 'mailbox', 'mailboxes')}?`
      if (operation === 'DENY') await deny(session, batch)
      else if (await session.ask.confirm(question, false)) await approve(session, batch)
    }
  }
}

export default defineCommand({
  name: 'remediation',
  summary: 'List, approve, deny and undo mailbox remediation',
  description:
    'Shows what Mailbox Auto Remediation did or is about to do with messages whose URL turned malicious after delivery. ' +
    'A verdict that touches very many messages or mailboxes waits until it is approved. What was deleted is kept for ' +
    'some days and can be put back; when a verdict is withdrawn, that is offered.',
  category: 'monitor',
  roles: OPERATORS,
  needsCommit: false,
  forms: [
    form('list', '[BATCH|STATE]', false, list),
    form('show', 'JOB', true, (session, job = '') => show(session, readNumber('job', job))),
    form('approve', 'BATCH', true, (session, batch = '') => approve(session, readNumber('batch', batch))),
    form('deny', 'BATCH', true, (session, batch = '') => deny(session, readNumber('batch', batch))),
    form('undo', 'JOB|withdrawn', true, (session, job = '') =>
      job.toLowerCase() === 'withdrawn' ? undoWithdrawn(session) : undo(session, readNumber('job', job)),
    ),
  ],
  run: dialogue,
  complete: (_session, words) => (words[0]?.toLowerCase() === 'list' ? STATES : []),
})
