import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { root } from '../support/root.ts'
import { startup } from './startup.ts'
import { throughput } from './throughput.ts'

/** `npm run bench`: Markdown on standard output. `--quick` is CI's short form; `--write` keeps it in docs/. */
const PAGE = join(root, 'docs/operations/performance.md')
const MARK = '<!-- npm run bench -- --write puts its tables below this line -->'

const quick = process.argv.includes('--quick')
const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Linux ${release()}`
const report = [
  `Measured ${new Date().toISOString().slice(0, 10)} on ${machine}.`,
  '',
  '## Messages per second',
  '',
  await throughput(quick ? { rounds: 2, messages: 200 } : { rounds: 5, messages: 1000 }),
  '',
  '## What a command costs',
  '',
  await startup(quick ? 10 : 50),
  '',
].join('\n')

process.stdout.write(`\n${report}`)
if (process.argv.includes('--write')) {
  const page = readFileSync(PAGE, 'utf8')
  writeFileSync(PAGE, `${page.slice(0, page.indexOf(MARK) + MARK.length)}\n\n${report}`)
}
