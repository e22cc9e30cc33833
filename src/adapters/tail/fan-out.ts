import { setTimeout as pause } from 'node:timers/promises'
import { Fault, UserError } from '../../core/errors.ts'
import type { FileFollower, FollowSource } from '../../logs/ports.ts'
import type { FileTail } from './follower.ts'

/** What a reader may be behind; then it is let go. Kept once per file, however many readers there are. */
const MAX_LINES = 20_000
const MAX_CHARS = 8 * 1024 * 1024
/** Lines that whoever comes can still be given of the past. */
const KEPT = 100
/** Lines that come within it are handed on together: a write for each line and session would cost more than the lines. */
const GATHER_MS = 25
const MAX_BATCH = 2000

interface Reader {
  /** Number of the line that it takes next. */
  at: number
}

/** One file, read once, for all who follow it. */
const createChannel = (tail: FileTail, source: FollowSource, over: () => void) => {
  const stop = new AbortController()
  const readers = new Set<Reader>()
  let lines: string[] = []
  let chars = 0
  /** Number of `lines[0]`. */
  let base = 0
  let begun = false
  let failure: unknown = null
  let woken: (() => void)[] = []

  const wake = (): void => {
    const all = woken
    woken = []
    for (const one of all) one()
  }
  const change = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
      woken.push(done)
    })

  const forget = (count: number): void => {
    for (const line of lines.slice(0, count)) chars -= line.length
    lines = lines.slice(count)
    base += count
  }
  const add = (more: readonly string[]): void => {
    for (const line of more) {
      lines.push(line)
      chars += line.length
    }
    const end = base + lines.length
    const taken = Math.min(end, ...[...readers].map((r) => r.at))
    // Half of what is full goes at a time, so that moving the rest costs little.
    if (lines.length > MAX_LINES || chars > MAX_CHARS) forget(Math.ceil(lines.length / 2))
    else if (taken - base > MAX_BATCH) forget(Math.min(taken, end - KEPT) - base)
    wake()
  }

  const run = async (): Promise<void> => {
    let gathered: string[] = []
    let timer: Promise<void> | null = null
    const hand = async (): Promise<void> => {
      await pause(GATHER_MS)
      timer = null
      const now = gathered
      gathered = []
      add(now)
    }
    try {
      for await (const batch of tail.follow(source, KEPT, stop.signal)) {
        if (begun) {
          for (const line of batch) gathered.push(line)
          timer ??= hand()
        } else {
          begun = true
          add(batch)
        }
      }
    } catch (error) {
      failure = error
    } finally {
      over()
      wake()
    }
  }
  void run()

  return {
    async *read(count: number, signal: AbortSignal): AsyncGenerator<readonly string[]> {
      const reader: Reader = { at: Number.MAX_SAFE_INTEGER }
      readers.add(reader)
      try {
        while (!begun && failure === null && !signal.aborted) await change(signal)
        reader.at = Math.max(base, base + lines.length - count)
        while (!signal.aborted) {
          if (reader.at < base)
            throw new UserError(
              'This terminal is slower than the log: what it could not take in time is left out, and the log is no ' +
                'longer followed.',
            )
          const from = reader.at - base
          const next = lines.slice(from, from + MAX_BATCH)
          reader.at += next.length
          if (next.length > 0) yield next
          else if (failure instanceof Fault) throw failure
          else if (failure !== null) throw new Fault('INTERNAL', 'The log could not be followed.', { cause: failure })
          else await change(signal)
        }
      } finally {
        readers.delete(reader)
        if (readers.size === 0) {
          stop.abort(new Error('nobody reads any more'))
          over()
        }
      }
    },
  }
}

/** Reads each file once, and hands its lines to everybody who follows it. */
export const createFanOut = (tail: FileTail): FileFollower => {
  const channels = new Map<string, ReturnType<typeof createChannel>>()
  return {
    async *follow(source, count, signal) {
      let channel = channels.get(source.path)
      if (channel === undefined) {
        const made = createChannel(tail, source, () => {
          if (channels.get(source.path) === made) channels.delete(source.path)
        })
        channels.set(source.path, (channel = made))
      }
      yield* channel.read(Math.min(count, KEPT), signal)
    },
  }
}
