import { delivery } from '../../../config/sections/delivery.ts'
import { interfaces } from '../../../config/sections/interfaces.ts'
import { UserError } from '../../../core/errors.ts'
import { integer } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { misused, readForm, readValue, wordForm } from '../../options.ts'

const AUTO = 'Auto'
const USAGE = {
  setup: 'deliveryconfig setup [--interface=auto|NAME] [--concurrency=N] [--connect_timeout=N] [--reply_timeout=N]',
  print: 'deliveryconfig print',
} as const
const concurrency = integer(1, 10_000)
const connectTimeout = integer(1, 600)
const replyTimeout = integer(1, 3600)

const overview = ({ draft }: Session): readonly string[] => {
  const d = draft.get(delivery)
  return [
    `Default interface to deliver mail: ${draft.get(interfaces).delivery || AUTO}`,
    `Default system wide maximum outbound message delivery concurrency: ${d.maxConcurrency}`,
    `Seconds to wait for a connection: ${d.connectTimeoutSeconds}`,
    `Seconds to wait for a reply: ${d.replyTimeoutSeconds}`,
  ]
}

/** Auto, then interfaces and groups. */
const choices = ({ draft }: Session): readonly string[] => {
  const { interfaces: all, groups } = draft.get(interfaces)
  return [AUTO, ...[...all, ...groups].map((i) => i.name)]
}

const leaveFrom = ({ draft }: Session, name: string): void =>
  draft.set(interfaces, { ...draft.get(interfaces), delivery: name === AUTO ? '' : name })

const setup = async (session: Session): Promise<void> => {
  const { ask, draft } = session
  const d = draft.get(delivery)
  const names = choices(session)
  const now = Math.max(0, names.indexOf(draft.get(interfaces).delivery))
  const from = await ask.pick('Choose the default interface to deliver mail.', names, (n) => n, now)
  const maxConcurrency = await ask.field(
    'Please enter the default system wide maximum outbound message delivery concurrency',
    concurrency,
    d.maxConcurrency,
  )
  const connectTimeoutSeconds = await ask.field(
    'Please enter the number of seconds to wait for a connection.',
    connectTimeout,
    d.connectTimeoutSeconds,
  )
  const replyTimeoutSeconds = await ask.field(
    'Please enter the number of seconds to wait for a reply.',
    replyTimeout,
    d.replyTimeoutSeconds,
  )
  leaveFrom(session, from)
  draft.set(delivery, { ...d, maxConcurrency, connectTimeoutSeconds, replyTimeoutSeconds })
}

const setupForm = (session: Session, args: readonly string[]): void => {
  const values = ['interface', 'concurrency', 'connect_timeout', 'reply_timeout']
  const { options: o } = readForm(USAGE.setup, args, { min: 0, max: 0, values })
  if (Object.keys(o).length === 0) throw misused('A value is missing.', USAGE.setup)
  const from = o['interface']?.toLowerCase() === 'auto' ? AUTO : o['interface']
  if (from !== undefined && !choices(session).includes(from))
    throw new UserError(`There is no interface '${printableCut(from, 64)}'.`)
  const d = session.draft.get(delivery)
  session.draft.set(delivery, {
    ...d,
    ...(o['concurrency'] === undefined ? {} : { maxConcurrency: readValue(concurrency, o['concurrency']) }),
    ...(o['connect_timeout'] === undefined
      ? {}
      : { connectTimeoutSeconds: readValue(connectTimeout, o['connect_timeout']) }),
    ...(o['reply_timeout'] === undefined ? {} : { replyTimeoutSeconds: readValue(replyTimeout, o['reply_timeout']) }),
  })
  if (from !== undefined) leaveFrom(session, from)
}

export default defineCommand({
  name: 'deliveryconfig',
  summary: 'Configure mail delivery',
  description:
    'Sets the interface that mail leaves from, how many deliveries are under way at the same time, and how long a host is waited for.',
  options: {
    '--interface=auto|NAME': 'the interface or group that mail leaves from; auto = as the system chooses',
    '--concurrency=N': 'deliveries at the same time',
    '--connect_timeout=N': 'seconds to wait for a connection',
    '--reply_timeout=N': 'seconds to wait for a reply',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...overview(session))
      const operation = await session.ask.choose({ SETUP: 'Configure mail delivery.' })
      if (operation === null) return
      await setup(session)
    }
  },
  forms: [
    {
      usage: USAGE.setup,
      words: ['setup'],
      run: async (session, args) => {
        await Promise.resolve()
        setupForm(session, args)
      },
    },
    wordForm(USAGE.print, ['print'], 0, (session) => session.page(overview(session))),
  ],
})
