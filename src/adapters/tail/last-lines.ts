import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const BLOCK = 16 * 1024
/** However long the lines are, no more is read back. */
const MOST = 4 * 1024 * 1024

/** The complete lines before byte `end` of a file, the last `count` of them, and the piece of a line that follows them. */
export const lastLines = (path: string, end: number, count: number): { lines: readonly string[]; rest: string } => {
  const fd = openSync(path, 'r')
  try {
    const size = Math.min(end, fstatSync(fd).size)
    let from = size
    let bytes = Buffer.alloc(0)
    let feeds = 0
    while (from > 0 && feeds <= count && size - from < MOST) {
      const length = Math.min(BLOCK, from)
      from -= length
      const block = Buffer.alloc(length)
      readSync(fd, block, 0, length, from)
      for (const byte of block) if (byte === 0x0a) feeds++
      bytes = Buffer.concat([block, bytes])
    }
    const parts = bytes.toString('utf8').split('\n')
    const rest = parts.pop() ?? ''
    // What was cut off by the block's start is half a line.
    const whole = from > 0 ? parts.slice(1) : parts
    return { lines: count > 0 ? whole.slice(-count) : [], rest }
  } finally {
    closeSync(fd)
  }
}
