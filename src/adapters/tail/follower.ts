import { fstatSync, statSync } from 'node:fs'
import { Fault } from '../../core/errors.ts'
import type { FollowSource, LineReader } from '../../logs/ports.ts'
import { DrainingTail } from './draining-tail.ts'
import { lastLines } from './last-lines.ts'

/** Whoever takes the lines is quick; should they pile up all the same, memory is not their buffer. */
const MAX_WAITING = 20_000

/** One reader of one file. The first batch, perhaps empty, is what was there before; then what is appended. */
export interface FileTail {
  follow(source: FollowSource, lastLines: number, signal: AbortSignal): AsyncIterable<readonly string[]>
}

type Item =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  /** Files that came and went between the one we read and the one we read now. */
  | { readonly kind: 'files'; readonly paths: readonly string[] }

const inode = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null

/** The lines before byte `end` of the file with this inode; goes back into older files when it has too few. */
const history = (
  source: FollowSource,
  ino: number,
  end: number,
  count: number,
): { readonly lines: readonly string[]; readonly rest: string } => {
  const files = source.files()
  const at = files.findIndex((path) => inode(path) === ino)
  if (at < 0) return { lines: [], rest: '' }
  const { lines, rest } = lastLines(files[at] ?? '', end, count)
  let all = lines
  for (let i = at - 1; i >= 0 && all.length < count; i--)
    all = [...lastLines(files[i] ?? '', Number.MAX_SAFE_INTEGER, count - all.length).lines, ...all]
  return { lines: all, rest }
}

/**
 * Follows with tail-file (packages.md §1b). Around it: the last lines first, handed over at the very byte where the
 * package begins; files that were rotated away between two looks; its listeners and its watcher ended with the signal.
 */
export const createFileTail = (reader: LineReader): FileTail => ({
  async *follow(source, count, signal) {
    if (signal.aborted) return
    const queue: Item[] = []
    let skipped = 0
    let failure: unknown = null
    let present: number | null = null
    let wake: () => void = () => undefined
    const push = (item: Item): void => {
      if (queue.length >= MAX_WAITING) skipped++
      else queue.push(item)
      wake()
    }

    const tail = new DrainingTail(source.path, { startPos: 'end', force: true, _bufsize: 65_536 })
    let carry = ''
    tail.on('ready', (fd: number) => {
      const { ino } = fstatSync(fd)
      // The name may have moved on between the package's stat and its open: what counts is what was opened.
      tail.ino = ino
      if (present === null) {
        const before = history(source, ino, typeof tail.pos === 'number' ? tail.pos : 0, count)
        push({ kind: 'lines', lines: before.lines })
        carry = before.rest
      } else if (present !== ino) {
        const files = source.files()
        const from = files.findIndex((path) => inode(path) === present)
        const to = files.findIndex((path) => inode(path) === ino)
        const between = from >= 0 && to > from + 1 ? files.slice(from + 1, to) : []
        if (between.length > 0) push({ kind: 'files', paths: between })
        carry = ''
      }
      present = ino
    })
    tail.on('line', (text: string) => {
      push({ kind: 'lines', lines: [carry + text] })
      carry = ''
    })
    tail.on('error', (error: { readonly code?: string }) => {
      // A missing file comes back (`force`); anything else ends the tail, and the operator hears why.
      if (error.code === 'ENOENT') return
      failure = error
      wake()
    })
    const abort = (): void => wake()
    signal.addEventListener('abort', abort, { once: true })
    tail.start()
    try {
      for (;;) {
        for (let item = queue.shift(); item; item = queue.shift()) {
          if (signal.aborted) return
          if (item.kind === 'lines') yield item.lines
          else for (const path of item.paths) yield* reader.read(path, signal)
        }
        if (skipped > 0) {
          yield [`(${skipped} lines were left out: they came faster than they could be read)`]
          skipped = 0
        }
        if (signal.aborted) return
        if (failure !== null)
          throw new Fault('INTERNAL', 'The log file could not be followed any longer.', { cause: failure })
        await new Promise<void>((resolve) => {
          wake = resolve
          if (queue.length > 0 || failure !== null || signal.aborted) resolve()
        })
      }
    } finally {
      signal.removeEventListener('abort', abort)
      tail.removeAllListeners('line')
      await tail.stop()
    }
  },
})
