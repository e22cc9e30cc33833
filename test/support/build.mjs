// Bundles src/ into dist/ with esbuild: one chunk per entry and per dynamic import; packages stay external.
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

const root = new URL('../..', import.meta.url).pathname
const entries = {
  main: 'src/main.ts',
  attach: 'src/transports/attach.ts',
  'writer-worker': 'src/adapters/sqlite/writer-worker.ts',
  'scan-worker': 'src/mail/pipeline/scan-worker.ts',
}

rmSync(`${root}dist`, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  logLevel: 'warning',
})
