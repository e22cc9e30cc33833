import { describe, expect, it } from 'vitest'
import { createFanOut } from '../../../../src/adapters/tail/fan-out.ts'
import type { FileTail } from '../../../../src/adapters/tail/follower.ts'

/** A file whose lines the test writes. */
const fakeTail = (history: readonly string[]) => {
  let queue: string[] = []
  let wake: () => void = () => undefined
  let opened = 0
  let open = 0
  const tail: FileTail = {
    async *follow(_source, count, signal) {
      opened++
      open++
      signal.addEventListener('abort', () => wake())
      try {
        yield history.slice(-count)
        while (!signal.aborted) {
          const now = queue
          queue = []
          if (now.length > 0) yield now
          else
            await new Promise<void>((resolve) => {
              wake = resolve
            })
        }
      } finally {
        open--
      }
    },
  }
  const write = (...lines: readonly string[]): void => {
    queue.push(...lines)
    wake()
  }
  return { tail, write, opened: () => opened, open: () => open }
}

const source = { path: 'log', files: () => [] }
const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
const take = async (batches: AsyncIterator<readonly string[]>, enough: number): Promise<string[]> => {
  const got: string[] = []
  while (got.length < enough) {
    const next = await batches.next()
    if (next.done === true) break
    got.push(...next.value)
  }
  return got
}

describe('a log that many follow', () => {
  it('is read once, and everybody gets every line in its order, from the past that they asked for on', async () => {
    const fake = fakeTail(lines(0, 50))
    const hub = createFanOut(fake.tail)
    const stop = new AbortController()
    const readers = [10, 0, 3].map((n) => hub.follow(source, n, stop.signal)[Symbol.asyncIterator]())
    const firsts = readers.map(async (r, i) => await take(r, i === 1 ? 500 : i === 0 ? 510 : 503))
    await new Promise((resolve) => setImmediate(resolve))
    fake.write(...lines(50, 550))
    const [ten, none, three] = await Promise.all(firsts)
    expect(ten).toEqual(lines(40, 550))
    expect(none).toEqual(lines(50, 550))
    expect(three).toEqual(lines(47, 550))
    const late = hub.follow(source, 10, stop.signal)[Symbol.asyncIterator]()
    expect(await take(late, 10)).toEqual(lines(540, 550))
    expect(fake.opened()).toBe(1)
    stop.abort()
    await Promise.all([...readers, late].map(async (r) => await r.next()))
    expect(fake.open()).toBe(0)
  })

  it('lets go with a word whoever is too slow for it, and keeps nothing for them', async () => {
    const fake = fakeTail([])
    const hub = createFanOut(fake.tail)
    const stop = new AbortController()
    const slow = hub.follow(source, 10, stop.signal)[Symbol.asyncIterator]()
    const quick = hub.follow(source, 10, stop.signal)[Symbol.asyncIterator]()
    const first = [take(slow, 1), take(quick, 1)]
    await new Promise((resolve) => setImmediate(resolve))
    fake.write('line 0')
    await Promise.all(first)
    for (let from = 1; from < 25_001; from += 5000) {
      fake.write(...lines(from, from + 5000))
      expect(await take(quick, 5000)).toEqual(lines(from, from + 5000))
    }
    await expect(slow.next()).rejects.toThrow('This terminal is slower than the log')
    fake.write('more')
    expect(await take(quick, 1)).toEqual(['more'])
    stop.abort()
  })

  it('tells everybody when it cannot be read any more, and is read anew by who comes then', async () => {
    let times = 0
    const broken: FileTail = {
      async *follow() {
        times++
        yield ['line']
        throw new Error('EIO')
      },
    }
    const hub = createFanOut(broken)
    const signal = new AbortController().signal
    for (const n of [1, 2]) {
      const reader = hub.follow(source, 10, signal)[Symbol.asyncIterator]()
      expect(await take(reader, 1)).toEqual(['line'])
      await expect(reader.next()).rejects.toThrow('could not be followed')
      expect(times).toBe(n)
    }
  })
})
