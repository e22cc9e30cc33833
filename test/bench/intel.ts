import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { workerWriter } from '../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../src/adapters/sqlite/intel.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Clock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import { createIntelService } from '../../src/intel/service/service.ts'
import { createObservedIndexer } from '../../src/intel/service/observed-index.ts'
import { parseSource } from '../../src/intel/sources/parse.ts'
import { probeOf } from '../../src/intel/url/watch-keys.ts'
import type { IntelStore, NewObserved } from '../../src/store/repositories/intel.ts'
import { lookups } from './intel-lookups.ts'
import { secondsSince, table } from './measure.ts'

/** The intelligence service at size: what is observed, how fast it is found, and what a large feed costs. */
export interface IntelSizes {
  readonly rows: number
  readonly indicators: number
  /** Cold look-ups of each kind. */
  readonly cold: number
}

const SERIAL = 'BENCH-0000'
const HOUR = 3600_000
const START = Date.UTC(2026, 10, 1)
const SPAN = 167 * HOUR
const BATCH = 1000
/** Submissions of several gateways are under way at once, and commit together. */
const FLYING = 8

/** A third of the URLs lead to a thousand popular domains, the others to one of `rows / 4`; every second has a parent host. */
const domainOf = (n: number, rows: number): string =>
  n % 3 === 0 ? `popular${(n * 7919) % 1000}.example` : `d${(n * 7919) % Math.ceil(rows / 4)}.example`
const urlOf = (n: number, rows: number): string =>
  `https://${n % 2 === 0 ? 'www.' : ''}${domainOf(n, rows)}/c/${(n * 31) % 97}/item${n % 5 === 0 ? '' : `?id=${n}`}`

const emailOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

const perSecond = (count: number, seconds: number): string => Math.round(count / seconds).toLocaleString('en')
const number = (n: number): string => n.toLocaleString('en')
const megabytes = (bytes: number): string => `${number(Math.round(bytes / 1e6))} MB`

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
const spread = (values: readonly number[]): readonly string[] =>
  [0.5, 0.99].map((share) => `${percentile(values, share).toFixed(2)} ms`)

/** Pages of the file are no longer in memory; false where that cannot be had. */
const dropCaches = (): boolean => {
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '1')
    return true
  } catch {
    return false
  }
}

const fill = async (store: IntelStore, rows: number, at: (time: number) => void): Promise<number> => {
  const indexer = createObservedIndexer(store.observed)
  const start = performance.now()
  let flying: Promise<unknown>[] = []
  for (let n = 0; n < rows; n += BATCH) {
    const time = START + Math.floor((n / rows) * SPAN)
    at(time)
    const items = Array.from({ length: Math.min(BATCH, rows - n) }, (_, i): NewObserved => {
      return { emailId: emailOf(n + i), url: urlOf(n + i, rows), ref: null, keys: null }
    })
    flying.push(store.observed.append(`${SERIAL}${n % 10}`, items, new Date(time)))
    indexer.arrived(items.length)
    if (flying.length === FLYING) {
      await Promise.all(flying)
      flying = []
    }
  }
  await Promise.all(flying)
  await indexer.now()
  return secondsSince(start)
}

/** Everything that is observed under one indicator, in all partitions. */
const find = (store: IntelStore, indicator: string): number => {
  const start = performance.now()
  const probe = probeOf(indicator)
  for (const p of store.observed.partitions()) store.observed.find(p, [probe], 0, 1000)
  return performance.now() - start
}

const bring = async (store: IntelStore, name: string, lines: readonly string[], clock: Clock): Promise<void> => {
  const source = { name, format: 'lines', level: 'untrusted', category: 'Phishing' } as const
  const { rows } = await parseSource(lines.join('\n'), source)
  const replacement = await store.opinions.replace(name, clock.now())
  for (let at = 0; at < rows.length; at += 2000) await replacement.add(rows.slice(at, at + 2000))
  await replacement.finish('bench', null)
}

export const intel = async ({ rows, indicators, cold }: IntelSizes): Promise<string> => {
  const home = mkdtempSync(join(tmpdir(), 'lychgate-bench-intel-'))
  const path = join(home, 'intel.db')
  let time = START
  const clock: Clock = { ...systemClock, now: () => new Date(time) }
  const env = { clock, entropy: systemEntropy }
  const bytes = (): number => statSync(path).size
  let writer = workerWriter()
  try {
    let store = await createIntelStore(writer, path)
    const seconds = await fill(store, rows, (t) => (time = t))
    const reopen = async (): Promise<void> => {
      await writer.close()
      writer = workerWriter()
      store = await createIntelStore(writer, path)
    }
    await reopen()
    const size = bytes()

    const some = (n: number): number => Math.floor(((n + 0.5) / 1000) * rows) - ((n * 17) % Math.min(1000, rows / 1000))
    const url = (n: number): string => urlOf(some(n), rows).slice('https://'.length)
    const domain = (n: number): string => `d${(some(n) * 7) % Math.ceil(rows / 4)}.example`
    const warm = (of: (n: number) => string): readonly number[] =>
      [0, 1].map(() => Array.from({ length: 1000 }, (_, n) => find(store, of(n))))[1] as number[]
    const coldly = async (of: (n: number) => string): Promise<readonly number[] | null> => {
      const times: number[] = []
      for (let n = 0; n < cold; n++) {
        await reopen()
        if (!dropCaches()) return null
        store.observed.partitions()
        times.push(find(store, of(n * 13)))
      }
      return times
    }
    const found: (readonly string[])[] = []
    for (const [what, of] of [
      ['URL', url],
      ['domain', domain],
    ] as const) {
      found.push([`one ${what}, warm`, ...spread(warm(of))])
      const times = await coldly(of)
      found.push([`one ${what}, cold (${cold} times)`, ...(times ? spread(times) : ['not measured', 'not measured'])])
    }

    const service = createIntelService({ store, env })
    const step = Math.max(1, Math.floor(rows / indicators))
    const lines = Array.from({ length: indicators }, (_, n) =>
      // Half of them are on what was observed: pages and hosts in turn, of the less popular domains.
      n % 2 === 0
        ? `http://bad${n}.example/x`
        : n % 4 === 1
          ? urlOf(3 * Math.floor((n * step) / 3) + 1, rows)
          : `http://${domainOf(3 * Math.floor((n * step) / 3) + 2, rows)}/c/`,
    )
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const loadStart = performance.now()
    await bring(store, 'feed', lines, clock)
    const loading = secondsSince(loadStart)
    const matchStart = performance.now()
    const retros = await service.retro.catchUp()
    const matching = secondsSince(matchStart)
    delay.disable()
    const again = performance.now()
    await bring(store, 'feed', lines.slice(0, lines.length / 2), clock)
    await service.retro.catchUp()
    const back = secondsSince(again)

    return [
      `Observed-URL index, ${number(rows)} URLs of 167 hours in order of arrival, ten devices; every acknowledged row synced.`,
      '',
      table(
        ['what', 'figure'],
        [
          ['rows a second, stored and indexed', perSecond(rows, seconds)],
          ['size on disk', `${megabytes(size)} (${Math.round(size / rows)} bytes a URL)`],
          [`feed with ${number(indicators)} new indicators: loading`, `${loading.toFixed(1)} s`],
          [`… to all ${number(retros)} retrospections`, `${matching.toFixed(1)} s`],
          [
            '… longest wait of the event loop meanwhile',
            `${(delay.max / 1e6).toFixed(0)} ms (p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms)`,
          ],
          ['half of the feed gone again: loading and all retractions', `${back.toFixed(1)} s`],
          ['memory of the process at the end', megabytes(process.memoryUsage().rss)],
        ],
      ),
      '',
      table(['look-up in the index, all partitions', 'median', 'p99'], found),
      '',
      await lookups({ service, lines, home, seconds: rows < 100_000 ? 0.5 : 4 }),
    ].join('\n')
  } finally {
    await writer.close()
    rmSync(home, { recursive: true, force: true })
  }
}
