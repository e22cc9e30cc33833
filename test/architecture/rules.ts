import type { Import } from './imports.ts'

/** Bottom to top; a layer may import its own room and every lower level. Rooms of one level do not import each other. */
const LEVELS: readonly (readonly string[])[] = [
  ['core'],
  ['config'],
  ['events'],
  ['store', 'logs'],
  ['intel'],
  ['mail'],
  ['retro', 'remediation'],
  ['services'],
  ['shell'],
  ['transports'],
]

/** The rooms where a package may be imported (architecture.md §3). A package that is not here has no home. */
export const HOMES: Readonly<Record<string, readonly string[]>> = {
  commander: ['src/main.ts', 'src/main/', 'src/shell/'],
  enquirer: ['src/transports/'],
  chalk: ['src/transports/'],
  'string-width': ['src/transports/'],
  'better-sqlite3': ['src/adapters/sqlite/'],
  'better-sqlite3-13': ['src/adapters/sqlite/'],
  undici: ['src/adapters/http/'],
  hono: ['src/adapters/http/'],
  '@hono/node-server': ['src/adapters/http/'],
  'tail-file': ['src/adapters/tail/'],
  imapflow: ['src/adapters/imap/'],
  ssh2: ['src/transports/'],
  '@node-rs/argon2': ['src/adapters/crypto/'],
  mailparser: ['src/mail/message/'],
  yauzl: ['src/mail/message/'],
  'libarchive-wasm': ['src/mail/message/'],
  'pdfjs-dist': ['src/mail/message/'],
  'zxing-wasm': ['src/mail/message/'],
  mailauth: ['src/mail/auth/'],
  tldts: ['src/intel/url/'],
  htmlparser2: ['src/intel/url/'],
  valibot: ['src/core/schema.ts', 'src/config/'],
  'fast-xml-parser': ['src/config/xml.ts'],
  re2js: ['src/core/'],
  'lru-cache': ['src/core/'],
  'mmdb-lib': ['src/adapters/mmdb/'],
}

/** Adapters that also use pure rules of the room whose port they implement; the others take its types only. */
const RULES_OF: Readonly<Record<string, readonly string[]>> = {
  http: ['intel'],
  smtp: ['mail'],
  maildir: ['remediation'],
  imap: ['remediation'],
}

/** Too slow to import before they are needed (architecture.md §7). */
const HEAVY = [
  'undici',
  'hono',
  '@hono/node-server',
  'mailparser',
  'mailauth',
  'htmlparser2',
  'selfsigned',
  'enquirer',
  'ssh2',
  'libarchive-wasm',
  'pdfjs-dist',
  'zxing-wasm',
  '@node-rs/argon2',
  'imapflow',
]

const level = (room: string): number => LEVELS.findIndex((rooms) => rooms.includes(room))
const room = (file: string): string => /^src\/([^/]+)\//.exec(file)?.[1] ?? 'main'
const adapter = (file: string): string | undefined => /^src\/adapters\/([^/]+)\//.exec(file)?.[1]
const where = (i: Import): string => `${i.from}:${i.line} imports ${i.to}`

const layerFault = (i: Import): string | null => {
  const from = room(i.from)
  const to = room(i.to)
  if (from === 'main') return null
  if (to === 'main') return 'nothing imports main'
  if (from === 'adapters') return adapterFault(i, to)
  if (to === 'adapters') return 'only main imports adapters'
  if (from === to) return null
  if (level(to) < level(from)) return null
  return `${from} stands ${level(to) === level(from) ? 'beside' : 'below'} ${to}`
}

/** An adapter uses core and section schemas; of the rooms whose ports it implements, and of other adapters, types. */
const adapterFault = (i: Import, to: string): string | null => {
  const own = adapter(i.from) ?? ''
  if (to === 'adapters') return own === adapter(i.to) || i.typeOnly ? null : 'adapters do not use each other'
  if (level(to) > level('shell')) return `an adapter knows nothing of ${to}`
  if (i.typeOnly || level(to) <= level('config') || RULES_OF[own]?.includes(to) === true) return null
  return `an adapter implements ports of ${to}, it does not use it`
}

export const layerFaults = (imports: readonly Import[]): readonly string[] =>
  imports
    .filter((i) => i.to.startsWith('src/'))
    .flatMap((i) => {
      const fault = layerFault(i)
      return fault === null ? [] : [`${where(i)}: ${fault}`]
    })

export const homeFaults = (imports: readonly Import[]): readonly string[] =>
  imports
    .filter((i) => !i.to.startsWith('src/') && !i.to.startsWith('node:'))
    .flatMap((i) => {
      const homes = Object.hasOwn(HOMES, i.to) ? HOMES[i.to] : undefined
      if (homes === undefined) return [`${where(i)}: the package has no home in the table`]
      return homes.some((home) => i.from.startsWith(home)) ? [] : [`${where(i)}: its home is ${homes.join(' and ')}`]
    })

const runtime = (imports: readonly Import[]): ReadonlyMap<string, readonly Import[]> => {
  const edges = new Map<string, Import[]>()
  for (const i of imports) if (!i.typeOnly && !i.dynamic) edges.set(i.from, [...(edges.get(i.from) ?? []), i])
  return edges
}

/** Static run-time imports that lead back to where they started. */
export const cycles = (imports: readonly Import[]): readonly string[] => {
  const edges = runtime(imports)
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    state.set(file, 'open')
    for (const i of edges.get(file) ?? []) visit(i.to, [...path, file])
    state.set(file, 'done')
  }
  for (const file of edges.keys()) visit(file, [])
  return found
}

/** What is loaded when `entry` is: the files, and the imports that leave src/. */
export const closure = (
  imports: readonly Import[],
  entry: string,
): { readonly files: ReadonlySet<string>; readonly outside: readonly Import[] } => {
  const edges = runtime(imports)
  const files = new Set<string>([entry])
  const outside: Import[] = []
  for (const file of files)
    for (const i of edges.get(file) ?? []) {
      if (i.to.startsWith('src/')) files.add(i.to)
      else outside.push(i)
    }
  return { files, outside }
}

export const attachFaults = (imports: readonly Import[], entry: string): readonly string[] =>
  closure(imports, entry)
    .outside.filter((i) => !i.to.startsWith('node:'))
    .map((i) => `${where(i)}: the attaching client imports node: modules only`)

export const startupFaults = (imports: readonly Import[], entry: string): readonly string[] =>
  closure(imports, entry)
    .outside.filter((i) => HEAVY.includes(i.to))
    .map((i) => `${where(i)}: heavy; import it on first use`)
