import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { root } from '../support/root.ts'
import { extraction } from './extraction.ts'
import { intel } from './intel.ts'
import { logs } from './logs.ts'
import { startup } from './startup.ts'
import type { Load } from './load.ts'
import { throughput } from './throughput.ts'

/**
 * `npm run bench`: Markdown on standard output. Names choose parts (`npm run bench -- intel`), `--quick` is CI's short form,
 * `--large` takes the intelligence service's 20 million rows, `--write` keeps the result in docs/, each part between marks of
 * its own.
 */
const PAGE = join(root, 'docs/operations/performance.md')

const flag = (name: string): boolean => process.argv.includes(`--${name}`)
const quick = flag('quick')
const large = flag('large')
const load = (sessions: number, reuse: boolean): Load => ({ sessions, reuse })

const mail = async (): Promise<string> =>
  [
    '## Messages per second',
    '',
    await throughput(
      quick
        ? { rounds: 3, messages: 300, loads: [load(20, true), load(20, false)], warmUp: 1500, long: null }
        : {
            rounds: 5,
            messages: 1000,
            loads: [load(20, true), load(20, false), load(50, true), load(50, false)],
            warmUp: 4000,
            long: { messages: 50_000, seconds: 10 },
          },
    ),
    '',
    '## What a command costs',
    '',
    await startup(quick ? 10 : 50),
  ].join('\n')

const intelligence = async (): Promise<string> =>
  [
    `## Intelligence${large ? ', 20 million URLs' : ''}`,
    '',
    await intel(
      quick
        ? { rows: 20_000, indicators: 2000, cold: 3 }
        : { rows: large ? 20_000_000 : 2_000_000, indicators: 100_000, cold: 50 },
    ),
  ].join('\n')

const urls = async (): Promise<string> =>
  [
    '## Finding URLs',
    '',
    'Of one thread, by its processor time. Ours also finds what is hidden in a URL (wrappers, nested targets), HTML attributes,',
    'style sheets and defanged forms; linkify-it is given the same characters as plain text.',
    '',
    await extraction(quick ? { rounds: 1, budgetMs: 50 } : { rounds: 5, budgetMs: 1000 }),
  ].join('\n')

const searches = async (): Promise<string> =>
  [
    '## Searching logs',
    '',
    await logs(
      quick
        ? { bytes: 30_000_000, messages: 20_000, rounds: 1 }
        : { bytes: 1_000_000_000, messages: 1_000_000, rounds: 3 },
    ),
  ].join('\n')

const PARTS: Readonly<Record<string, () => Promise<string>>> = { mail, urls, intel: intelligence, logs: searches }
const chosen = Object.keys(PARTS).filter((name) => process.argv.slice(2).includes(name))

const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Linux ${release()}`
for (const name of chosen.length > 0 ? chosen : Object.keys(PARTS)) {
  const text = [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${machine}.`,
    '',
    (await PARTS[name]?.()) ?? '',
    '',
  ].join('\n')
  process.stdout.write(`\n${text}`)
  if (!flag('write')) continue
  const mark = name === 'intel' && large ? 'intel --large' : name
  const [begin, end] = [`<!-- npm run bench -- ${mark} --write -->`, `<!-- end of ${mark} -->`]
  const page = readFileSync(PAGE, 'utf8')
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for '${mark}': ${begin} … ${end}`)
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n\n${text}\n${page.slice(to)}`)
}
