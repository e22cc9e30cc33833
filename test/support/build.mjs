// Bundles src/ into dist/ with esbuild: one chunk per entry and per dynamic import; packages stay external.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

const root = new URL('../..', import.meta.url).pathname
const dist = join(root, 'dist')
const DAY_MS = 86_400_000
const entries = {
  main: 'src/main.ts',
  attach: 'src/transports/attach.ts',
  'writer-worker': 'src/adapters/sqlite/writer-worker.ts',
  'scan-worker': 'src/mail/pipeline/scan-worker.ts',
  'grep-worker': 'src/adapters/files/grep-worker.ts',
}
const present = Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(join(root, file))))

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: present,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  logLevel: 'warning',
  write: false,
})

// An appliance may be running from dist/: files change by rename, and a chunk that it has not loaded yet stays for a day.
mkdirSync(dist, { recursive: true })
const same = (file, bytes) => existsSync(file) && readFileSync(file).equals(bytes)
for (const { path, contents } of outputFiles) {
  if (same(path, contents)) continue
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
}
// What `help NAME` shows as an example.
rmSync(join(dist, 'sessions'), { recursive: true, force: true })
cpSync(join(root, 'fixtures/sessions'), join(dist, 'sessions'), { recursive: true })

const built = new Set(outputFiles.map(({ path }) => basename(path)))
for (const name of readdirSync(dist)) {
  const file = join(dist, name)
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!built.has(name) && stat?.isFile() && Date.now() - stat.mtimeMs > DAY_MS) rmSync(file, { force: true })
}
