import { run, until, which } from '../support/processes.ts'
import { noPostfix } from '../support/postfix.ts'
import { startLychgate, startRelay } from './contenders.ts'
import type { Contender } from './contenders.ts'
import { secondsSince, summary, table } from './measure.ts'

export interface Plan {
  readonly rounds: number
  readonly messages: number
}

const BYTES = 4096
const SESSIONS = 10

interface Rates {
  readonly accepted: number[]
  readonly finished: number[]
}

/** One round of one contender: until the last 250, and until the last message has reached its end. */
const measure = async (contender: Contender, messages: number, rates: Rates): Promise<void> => {
  const before = contender.finished()
  const start = performance.now()
  const to = contender.name.includes('mailboxes') ? 'user@example.com' : 'user@example.net'
  const source = await run(
    which('smtp-source') ?? 'missing',
    [
      ...['-m', String(messages), '-s', String(SESSIONS), '-l', String(BYTES), '-M', 'client.example.org'],
      ...['-f', 'sender@example.org', '-t', to, `127.0.0.1:${contender.port}`],
    ],
    { timeoutMs: 120_000 },
  )
  if (source.code !== 0) throw new Error(`smtp-source to ${contender.name}: ${source.stderr}`)
  rates.accepted.push(messages / secondsSince(start))
  await until(`${contender.name} has finished`, () => contender.finished() - before >= messages, 120_000)
  rates.finished.push(messages / secondsSince(start))
}

/** Interleaved: each contender once a round, so that the machine's moods hit all of them. */
export const throughput = async ({ rounds, messages }: Plan): Promise<string> => {
  if (which('smtp-source') === null || which('smtp-sink') === null) return 'Not measured: smtp-source is not installed.'
  const contenders: Contender[] = []
  const why = noPostfix()
  try {
    contenders.push(
      await startLychgate({ name: 'Lychgate, to a next hop', durable: true, to: 'next hop' }),
      await startLychgate({ name: 'Lychgate, to a next hop, without sync', durable: false, to: 'next hop' }),
      await startLychgate({ name: 'Lychgate, into its mailboxes', durable: true, to: 'mailboxes' }),
    )
    if (why === null) contenders.push(await startRelay('Postfix, to a next hop, no scan'))
    const rates = contenders.map((): Rates => ({ accepted: [], finished: [] }))
    // The first round warms up and is not counted.
    for (let round = 0; round <= rounds; round++)
      for (const [i, contender] of contenders.entries())
        await measure(contender, messages, round === 0 ? { accepted: [], finished: [] } : (rates[i] as Rates))
    const rows = contenders.map(({ name }, i) => [
      name,
      summary(rates[i]?.accepted ?? []),
      summary(rates[i]?.finished ?? []),
    ])
    const note = `${messages} messages of ${BYTES} bytes a round, ${SESSIONS} sessions, a new connection each, ${rounds} interleaved rounds: median (range), messages per second.`
    const head = ['server', 'accepted (250)', 'accepted, scanned and delivered']
    return [note, '', table(head, rows), ...(why === null ? [] : ['', `Postfix not measured: ${why}.`])].join('\n')
  } finally {
    for (const contender of contenders) await contender.stop()
  }
}
