// Runs a TypeScript program of test/ (demo, bench) on a Node that cannot: bundles it into dist/ first, beside the workers.
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = new URL('../..', import.meta.url).pathname
const [program, ...rest] = process.argv.slice(2)
if (program === undefined) throw new Error('usage: node test/support/run.mjs PROGRAM.ts [ARGUMENT...]')
const outfile = join(root, 'dist', `${basename(program, '.ts')}.${process.pid}.mjs`)

await build({
  absWorkingDir: root,
  entryPoints: [program],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
})
process.argv = [process.argv[0], program, ...rest]
process.on('exit', () => rmSync(outfile, { force: true }))
await import(pathToFileURL(outfile).href)
