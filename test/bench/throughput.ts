import { until, which } from '../support/processes.ts'
import { noPostfix } from '../support/postfix.ts'
import { startLychgate, startPostfixAccepting, startRelay, startScanningRelay } from './contenders.ts'
import type { Contender } from './contenders.ts'
import { createSource } from './load.ts'
import type { Load, Source } from './load.ts'
import { median, secondsSince, summary, table } from './measure.ts'
import { noRspamd } from './rspamd.ts'
import { steady } from './steady.ts'
import { cpuMs } from './usage.ts'

export interface Plan {
  readonly rounds: number
  /** Of a round; contenders send a share of it. */
  readonly messages: number
  readonly loads: readonly Load[]
  /** Of each contender before the first round, over all loads (shares of it as in a round): what Node runs often it compiles. */
  readonly warmUp: number
  /** Messages of the run that watches memory, and seconds of the one at half load; null = left out. */
  readonly long: { readonly messages: number; readonly seconds: number } | null
}

interface Rate {
  readonly perSecond: number
  readonly cpuMs: number
}

const loadName = ({ sessions, reuse }: Load): string => `${sessions} ${reuse ? 'reused' : 'new'}`

/** One round of one contender: until the last 250, or until the last message has reached its end. */
const measure = async (source: Source, contender: Contender, messages: number, load: Load): Promise<Rate> => {
  const before = contender.finished?.() ?? 0
  const cpu = cpuMs(contender.pids)
  const start = performance.now()
  await source.send(contender.port, messages, load)
  const ended = (): boolean => (contender.finished?.() ?? Infinity) - before >= messages
  if (contender.finished) await until(`${contender.name} has finished`, ended, 300_000)
  const perSecond = messages / secondsSince(start)
  return { perSecond, cpuMs: (cpuMs(contender.pids) - cpu) / messages }
}

const ACCEPT = 'Lychgate, accepted into the spool'
const RELAY = 'Lychgate, scanned and relayed'
const POSTFIX = 'Postfix, accepted and discarded'
const PLAIN = 'Postfix, relayed without a scan'
const MILTER = 'Postfix with Rspamd, scanned and relayed'

/** Ours, theirs, by how much, with which connections: issue 3, section 5. */
const TARGETS: readonly (readonly [string, string, number, boolean | null])[] = [
  [ACCEPT, POSTFIX, 5, true],
  [ACCEPT, POSTFIX, 2, false],
  [RELAY, PLAIN, 2, null],
  [RELAY, MILTER, 5, null],
]

const verdicts = (rates: ReadonlyMap<string, ReadonlyMap<string, readonly Rate[]>>, loads: readonly Load[]): string => {
  const of = (name: string, load: Load): number =>
    median((rates.get(name)?.get(loadName(load)) ?? []).map((r) => r.perSecond))
  const rows = TARGETS.flatMap(([ours, theirs, factor, reuse]) =>
    rates.has(theirs)
      ? loads
          .filter((load) => reuse === null || load.reuse === reuse)
          .map((load) => {
            const times = of(ours, load) / of(theirs, load)
            return [ours, theirs, loadName(load), `${factor}×`, `${times.toFixed(1)}×`, times >= factor ? 'yes' : 'no']
          })
      : [],
  )
  return table(['ours', 'against', 'connections', 'target', 'measured', 'reached'], rows)
}

/** Interleaved: each contender once a round, so that the machine's moods hit all of them. */
export const throughput = async ({ rounds, messages, loads, warmUp, long }: Plan): Promise<string> => {
  if (which('smtp-source') === null || which('smtp-sink') === null) return 'Not measured: smtp-source is not installed.'
  const contenders: Contender[] = []
  const source = createSource()
  // The short form has no time for its start.
  const missing = [noPostfix(), long === null ? 'Rspamd takes too long to start for the short form' : noRspamd()]
  try {
    const relay = await startLychgate(RELAY, 'next hop')
    contenders.push(await startLychgate(ACCEPT, 'spool'), relay)
    if (missing[0] === null) contenders.push(await startPostfixAccepting(POSTFIX), await startRelay(PLAIN))
    if (missing[0] === null && missing[1] === null) contenders.push(await startScanningRelay(MILTER))
    const rates = new Map(contenders.map((c) => [c.name, new Map(loads.map((l) => [loadName(l), [] as Rate[]]))]))
    for (const contender of contenders)
      for (const load of loads)
        await measure(source, contender, Math.ceil((warmUp * contender.share) / loads.length), load)
    for (let round = 1; round <= rounds; round++)
      for (const load of loads)
        for (const contender of contenders) {
          const rate = await measure(source, contender, Math.ceil(messages * contender.share), load)
          rates.get(contender.name)?.get(loadName(load))?.push(rate)
        }
    const rows = [...rates].map(([name, own]) => [
      name,
      ...[...own.values()].map((r) => summary(r.map((x) => x.perSecond))),
      median([...own.values()].flat().map((x) => x.cpuMs)).toFixed(2),
    ])
    const head = ['messages per second', ...loads.map((l) => `${loadName(l)} connections`), 'CPU ms a message']
    const note =
      `${messages} messages of 5 KB with two URLs a round (shares of it for slower and faster ones), ` +
      `${rounds} interleaved rounds after ${warmUp} messages to warm up: median (range).`
    const half = median((rates.get(RELAY)?.get(loadName(loads[0] as Load)) ?? []).map((r) => r.perSecond)) / 2
    return [
      note,
      '',
      table(head, rows),
      '',
      verdicts(rates, loads),
      ...(long === null ? [] : ['', await steady(source, relay, { ...long, perSecond: half })]),
      ...missing.flatMap((why) => (why === null ? [] : ['', `Not measured: ${why}.`])),
    ].join('\n')
  } finally {
    source.remove()
    for (const contender of contenders) await contender.stop()
  }
}
