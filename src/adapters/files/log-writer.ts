import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Fault, errorText } from '../../core/errors.ts'
import type { LogFileHooks, LogFileSettings, LogFileWriter } from '../../logs/ports.ts'
import { closedName, listLogFiles, nextLogName } from './log-names.ts'

/** What may wait for a slow disk; lines beyond it are counted as lost. */
const BUFFER_BYTES = 8 * 1024 * 1024
/** After a failed write nothing is tried for so long, so that a full disk costs no CPU. */
const RETRY_MS = 1000
/** Lines of so long a time are one write: under load a write for each costs more than the mail. */
const GATHER_MS = 20

const lines = (text: string): number => text.split('\n').length - 1

interface Open {
  readonly path: string
  readonly handle: FileHandle
  bytes: number
  /** The last write ended inside a line. */
  torn: boolean
}

/**
 * The files of one subscription: `<stem>.@<stamp>.c` now, `.s` when closed by rename, `<stem>.current` a link to the open
 * one. Never truncates. One append stream with a bounded buffer; a full disk costs lines, counted, and nothing else.
 */
export const createLogFileWriter = (initial: LogFileSettings, hooks: LogFileHooks): LogFileWriter => {
  let settings = initial
  let current: Open | null = null
  let queue: string[] = []
  let queued = 0
  let lost = 0
  let lastError = ''
  let failing = false
  let retryAt = 0
  let closed = false
  /** Everything that touches the file runs in this chain, one after the other. */
  let work: Promise<void> = Promise.resolve()
  let draining = false
  let gathering: NodeJS.Timeout | undefined

  const list = () => {
    // The offset only dates the files; names and order are local anyway.
    const now = hooks.now()
    const stamp = hooks.fileStamp(now)
    const local = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z'))
    const offset = Math.round((local - now.getTime()) / 60_000) * 60
    return listLogFiles(settings.directory, settings.fileName, offset)
  }
  const linkPath = (): string => join(settings.directory, `${settings.fileName}.current`)

  const failed = (error: unknown): void => {
    lastError = errorText(error)
    retryAt = hooks.now().getTime() + RETRY_MS
    if (failing) return
    failing = true
    hooks.failing(lastError)
  }

  const writeAll = async (file: Open, text: string): Promise<void> => {
    const bytes = Buffer.from(text)
    let offset = 0
    while (offset < bytes.length) {
      const { bytesWritten } = await file.handle.write(bytes, offset)
      offset += bytesWritten
      file.bytes += bytesWritten
      file.torn = bytes[offset - 1] !== 0x0a
    }
  }

  const pointTo = (path: string): void => {
    const temporary = `${linkPath()}.new`
    if (existsSync(temporary)) unlinkSync(temporary)
    symlinkSync(basename(path), temporary)
    renameSync(temporary, linkPath())
  }

  const prune = (): void => {
    const all = list()
    for (const file of all.slice(0, Math.max(0, all.length - settings.maxFiles))) {
      if (file.current) continue
      unlinkSync(file.path)
      hooks.removed(file.path)
    }
  }

  /** After a crash or a restart: goes on in the newest open file, and closes what else was left open. */
  const adopt = (): string | null => {
    const left = list().filter((f) => f.current)
    const newest = left.at(-1)
    for (const file of left) {
      endLine(file.path)
      if (file !== newest || file.bytes >= settings.rolloverBytes) renameSync(file.path, closedName(file.path))
    }
    return newest && newest.bytes < settings.rolloverBytes ? newest.path : null
  }

  const openFile = async (): Promise<Open> => {
    if (current) return current
    mkdirSync(settings.directory, { recursive: true, mode: 0o700 })
    const path =
      adopt() ?? join(settings.directory, nextLogName(settings.fileName, hooks.fileStamp(hooks.now()), list()))
    const handle = await open(path, 'a', 0o600)
    current = { path, handle, bytes: (await handle.stat()).size, torn: false }
    pointTo(path)
    prune()
    await writeAll(current, hooks.begin())
    return current
  }

  const closeFile = async (reason: 'rollover' | 'stop'): Promise<void> => {
    const file = current
    if (!file) return
    current = null
    try {
      await writeAll(file, (file.torn ? '\n' : '') + hooks.end(reason))
    } finally {
      await file.handle.close()
    }
    // A stopped appliance leaves its file open by name: the next start goes on in it, so that restarts use up no files.
    if (reason === 'rollover') renameSync(file.path, closedName(file.path))
  }

  /** Some of the queue: what fits into the present file, at least one entry. */
  const take = (room: number): string => {
    let size = 0
    let n = 0
    while (n < queue.length && (n === 0 || size < room)) size += queue[n++]?.length ?? 0
    const text = queue.slice(0, n).join('')
    queue = queue.slice(n)
    queued -= size
    return text
  }

  const drain = async (): Promise<void> => {
    draining = false
    while (queue.length > 0) {
      if (failing && hooks.now().getTime() < retryAt) {
        lost += queue.reduce((sum, text) => sum + lines(text), 0)
        queue = []
        queued = 0
        return
      }
      let text = ''
      try {
        let file = await openFile()
        if (file.bytes >= settings.rolloverBytes) {
          await closeFile('rollover')
          file = await openFile()
        }
        if (lost > 0) {
          await writeAll(file, (file.torn ? '\n' : '') + hooks.lost(lost, lastError))
          lost = 0
        }
        text = take(settings.rolloverBytes - file.bytes)
        await writeAll(file, (file.torn ? '\n' : '') + text)
        failing = false
      } catch (error) {
        lost += lines(text)
        failed(error)
      }
    }
  }

  const enqueue = (task: () => Promise<void>): Promise<void> => {
    const done = work.then(task)
    // The chain itself goes on after a failure; the caller of this task hears of it.
    work = done.catch(failed)
    return done
  }

  const schedule = (): void => {
    if (draining) return
    draining = true
    gathering = setTimeout(begin, GATHER_MS)
  }

  /** Lines that wait for others are written now. */
  const begin = (): void => {
    clearTimeout(gathering)
    if (draining) void enqueue(drain).catch(failed)
  }

  return {
    append: (text) => {
      if (closed) return
      if (queued + text.length > BUFFER_BYTES) {
        lost += lines(text)
        lastError = 'the disk is too slow'
        return
      }
      queue.push(text)
      queued += text.length
      schedule()
    },
    flush: async () => {
      begin()
      await work
    },
    open: async () => {
      await enqueue(async () => void (await openFile()))
    },
    rollover: async () => {
      await enqueue(async () => {
        try {
          await drain()
          await openFile()
          await closeFile('rollover')
          await openFile()
        } catch (error) {
          throw new Fault('STORE_FULL', `The log file could not be rolled over: ${errorText(error)}`, { cause: error })
        }
      })
    },
    configure: (next) => {
      settings = next
    },
    get link() {
      return linkPath()
    },
    files: () => list(),
    close: async () => {
      closed = true
      clearTimeout(gathering)
      await enqueue(async () => {
        await drain()
        await closeFile('stop')
      })
    },
  }
}

/** A process that was killed inside a write left half a line: the next one must begin on its own. */
const endLine = (path: string): void => {
  const fd = openSync(path, 'a+')
  try {
    const last = Buffer.alloc(1)
    const { size } = fstatSync(fd)
    if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) writeSync(fd, '\n')
  } finally {
    closeSync(fd)
  }
}
