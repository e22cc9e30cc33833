import { appendFileSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLineReader } from '../../../../src/adapters/files/line-reader.ts'
import { createLogFileWriter } from '../../../../src/adapters/files/log-writer.ts'
import { createFileTail } from '../../../../src/adapters/tail/follower.ts'
import { fileStamp } from '../../../../src/core/timezone.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-tail-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const follower = createFileTail(createLineReader())

const writerIn = (rolloverBytes: number) => {
  const clock = new FakeClock()
  return createLogFileWriter(
    { directory: home, fileName: 'mail', rolloverBytes, maxFiles: 1000 },
    {
      now: () => clock.now(),
      fileStamp: (at) => fileStamp(at, 0),
      begin: () => '',
      end: () => '',
      lost: () => '',
      removed: () => undefined,
      failing: () => undefined,
    },
  )
}

/** Takes lines until `enough` of them came. */
const take = async (
  batches: AsyncIterable<readonly string[]>,
  enough: number,
  seen?: (n: number) => void,
): Promise<string[]> => {
  const got: string[] = []
  for await (const lines of batches) {
    got.push(...lines)
    seen?.(got.length)
    if (got.length >= enough) break
  }
  return got
}

describe('the file follower', () => {
  it('begins with the last lines, also of older files, and goes on with what is appended', async () => {
    const writer = writerIn(1_000_000)
    writer.append('a\nb\nc\n')
    await writer.rollover()
    writer.append('d\ne\n')
    await writer.flush()
    const source = { path: writer.link, files: () => writer.files().map((f) => f.path) }
    const lines = follower.follow(source, 4, new AbortController().signal)
    const got = await take(lines, 6, (n) => {
      if (n === 4) writer.append('f\ng\n')
    })
    expect(got).toEqual(['b', 'c', 'd', 'e', 'f', 'g'])
    await writer.close()
  })

  it('loses no line through many quick rotations', async () => {
    const writer = writerIn(4096)
    writer.append('start\n')
    await writer.flush()
    const source = { path: writer.link, files: () => writer.files().map((f) => f.path) }
    const total = 3000
    const lines = follower.follow(source, 1, new AbortController().signal)
    const got = await take(lines, total + 1, (n) => {
      if (n === 1) for (let i = 0; i < total; i++) writer.append(`line ${i} ${'x'.repeat(80)}\n`)
    })
    expect(got.slice(1).map((l) => l.split(' ')[1])).toEqual(Array.from({ length: total }, (_, i) => String(i)))
    await writer.close()
  })

  it('starts again when the file is truncated', async () => {
    const path = join(home, 'plain')
    writeFileSync(path, 'one\ntwo\n')
    const lines = follower.follow({ path, files: () => [path] }, 1, new AbortController().signal)
    const got = await take(lines, 3, (n) => {
      if (n === 1) appendFileSync(path, 'three\n')
      if (n === 2) {
        truncateSync(path, 0)
        appendFileSync(path, 'new\n')
      }
    })
    expect(got).toEqual(['two', 'three', 'new'])
  })

  it('reads what was written to the old file just before the link moved', async () => {
    const [a, b, link] = [join(home, 'a'), join(home, 'b'), join(home, 'current')]
    writeFileSync(a, 'one\n')
    symlinkSync('a', link)
    const lines = follower.follow({ path: link, files: () => [a, b] }, 1, new AbortController().signal)
    const got = await take(lines, 3, (n) => {
      if (n !== 1) return
      appendFileSync(a, 'two\n')
      writeFileSync(b, 'three\n')
      symlinkSync('b', `${link}.new`)
      renameSync(`${link}.new`, link)
    })
    expect(got).toEqual(['one', 'two', 'three'])
  })

  it('ends with the signal and leaves nothing running', async () => {
    const path = join(home, 'plain')
    writeFileSync(path, 'one\n')
    const stop = new AbortController()
    const got: string[] = []
    for await (const lines of follower.follow({ path, files: () => [path] }, 5, stop.signal)) {
      got.push(...lines)
      stop.abort()
    }
    expect(got).toEqual(['one'])
  })
})
