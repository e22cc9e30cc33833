import { isAscii } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import { compilePattern } from '../../core/regex.ts'
import { regexParts } from '../../core/regex-parts.ts'
import type { LogSearch } from '../../logs/ports.ts'
import { closedName } from './log-names.ts'

/** Read at a time; what one turn may hold. */
const CHUNK = 256 * 1024
/** A file without line feeds must not fill the memory: longer lines come in pieces. */
const MAX_LINE = 1024 * 1024
const LF = 0x0a
/** A shorter text is found in too many lines to be worth a look of its own. */
const WORTH_LOOKING = 2

type Hits = (bytes: Buffer) => readonly string[]

interface Compiled {
  readonly test: (line: string) => boolean
  /** Every line that matches contains it; empty = nothing is certain. */
  readonly literal: string
  /** The literal is the whole pattern. */
  readonly plain: boolean
  /** All patterns as one for V8, and the longest line that it may see; null = never. */
  readonly fast: { readonly regex: RegExp; readonly longest: number } | null
}

const text = (bytes: Buffer): string => (isAscii(bytes) ? bytes.toString('latin1') : bytes.toString('utf8'))

/** One pattern: V8 where no line can make it slow (core/regex-parts.ts), the linear engine elsewhere. */
const compileOne = (source: string, ignoreCase: boolean): Compiled => {
  const linear = compilePattern(source, { ignoreCase })
  if (!linear.ok) throw new Error(linear.error)
  const parts = regexParts(source)
  if (parts === null || parts.safeLength === 0)
    return {
      test: (line) => linear.value.test(line),
      literal: ignoreCase ? '' : (parts?.literal ?? ''),
      plain: false,
      fast: null,
    }
  const one = new RegExp(parts.source, ignoreCase ? 'miu' : 'mu')
  return {
    test: (line) => (line.length <= parts.safeLength ? one.test(line) : linear.value.test(line)),
    literal: ignoreCase ? '' : parts.literal,
    plain: parts.plain && !ignoreCase,
    fast: { regex: new RegExp(parts.source, `g${one.flags}`), longest: parts.safeLength },
  }
}

const compile = ({ patterns, ignoreCase }: LogSearch): Compiled => {
  const all = patterns.map((source) => compileOne(source, ignoreCase))
  const [first] = all
  if (first !== undefined && all.length === 1) return first
  const fast = all.flatMap((one) => (one.fast === null ? [] : [one.fast]))
  return {
    test: (line) => all.some((one) => one.test(line)),
    literal: '',
    plain: false,
    fast:
      fast.length < all.length
        ? null
        : {
            regex: new RegExp(fast.map((f) => `(?:${f.regex.source})`).join('|'), ignoreCase ? 'gimu' : 'gmu'),
            longest: Math.min(...fast.map((f) => f.longest)),
          },
  }
}

/** Whether lines may be longer than `longest` bytes; hops from line feed to line feed. */
const hasLonger = (bytes: Buffer, longest: number): boolean => {
  for (let at = 0; at + longest < bytes.length;) {
    const next = bytes.lastIndexOf(LF, at + longest)
    if (next < at) return true
    at = next + 1
  }
  return false
}

/** Lines that hold a literal: looked for in the bytes, only what is found becomes text. */
const byLiteral = ({ literal, plain, test }: Compiled): Hits => {
  const wanted = Buffer.from(literal)
  return (bytes) => {
    const hits: string[] = []
    for (let at = bytes.indexOf(wanted); at >= 0;) {
      const begin = at === 0 ? 0 : bytes.lastIndexOf(LF, at - 1) + 1
      const found = bytes.indexOf(LF, at)
      const end = found < 0 ? bytes.length : found
      const line = bytes.toString('utf8', begin, end)
      if (plain || test(line)) hits.push(line)
      at = end >= bytes.length ? -1 : bytes.indexOf(wanted, end)
    }
    return hits
  }
}

const byLine =
  (test: (line: string) => boolean): Hits =>
  (bytes) =>
    text(bytes).split('\n').filter(test)

/** The whole chunk at once: the engine walks over what does not match. */
const byChunk =
  ({ regex, longest }: NonNullable<Compiled['fast']>, slow: Hits): Hits =>
  (bytes) => {
    if (hasLonger(bytes, longest)) return slow(bytes)
    const all = text(bytes)
    const hits: string[] = []
    regex.lastIndex = 0
    for (let m = regex.exec(all); m !== null; m = regex.exec(all)) {
      const begin = m.index === 0 ? 0 : all.lastIndexOf('\n', m.index - 1) + 1
      const found = all.indexOf('\n', m.index)
      const end = found < 0 ? all.length : found
      hits.push(all.slice(begin, end))
      if (end >= all.length) break
      regex.lastIndex = end + 1
    }
    return hits
  }

/** Hits with the lines around them, `--` between groups that do not touch; it goes on from chunk to chunk. */
const withContext = (test: (line: string) => boolean, context: number): Hits => {
  let before: string[] = []
  let after = 0
  let shown = false
  let gap = false
  return (bytes) => {
    const out: string[] = []
    for (const line of text(bytes).split('\n')) {
      if (test(line)) {
        if (shown && gap) out.push('--')
        out.push(...before, line)
        before = []
        shown = true
        gap = false
        after = context
      } else if (after > 0) {
        out.push(line)
        after--
      } else {
        before.push(line)
        if (before.length <= context) continue
        before.shift()
        gap = true
      }
    }
    return out
  }
}

const searcher = (wish: LogSearch): Hits => {
  const compiled = compile(wish)
  const test = wish.invert ? (line: string) => !compiled.test(line) : compiled.test
  if (wish.context > 0) return withContext(test, wish.context)
  if (wish.invert) return byLine(test)
  if (compiled.literal.length >= WORTH_LOOKING || compiled.plain) return byLiteral(compiled)
  return compiled.fast === null ? byLine(test) : byChunk(compiled.fast, byLine(test))
}

/** null = the file has gone. One that was closed by rename meanwhile is read under its new name. */
const opened = (path: string): number | null => {
  for (const candidate of new Set([path, closedName(path)])) {
    try {
      return openSync(candidate, 'r')
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error
    }
  }
  return null
}

/** Whole lines of a file as they lie there, without the last line feed; valid until the next is asked for. */
function* chunks(fd: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(MAX_LINE + CHUNK)
  let held = 0
  for (;;) {
    const got = readSync(fd, buffer, held, CHUNK, null)
    const filled = held + got
    if (got === 0) {
      if (held > 0) yield buffer.subarray(0, held)
      return
    }
    const last = buffer.subarray(held, filled).lastIndexOf(LF)
    const end = last >= 0 ? held + last : filled > MAX_LINE ? filled : -1
    held = filled
    if (end < 0) continue
    yield buffer.subarray(0, end)
    const rest = Math.min(filled, end + (last >= 0 ? 1 : 0))
    buffer.copy(buffer, 0, rest, filled)
    held = filled - rest
  }
}

/** What `grep` prints of these files, oldest first, a chunk's worth at a time (perhaps nothing). Blocks its thread. */
export function* scanFiles(paths: readonly string[], wish: LogSearch): Generator<readonly string[]> {
  const search = searcher(wish)
  for (const path of paths) {
    const fd = opened(path)
    if (fd === null) continue
    try {
      for (const bytes of chunks(fd)) yield search(bytes)
    } finally {
      closeSync(fd)
    }
  }
}

/** Which of some lines are hits. */
export const lineFilter = (wish: LogSearch): ((lines: readonly string[]) => readonly string[]) => {
  const { test } = compile(wish)
  return (lines) => lines.filter((line) => test(line) !== wish.invert)
}
