import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/core/clock.ts'
import type { ScanTask } from '../../../../src/mail/pipeline/scan-task.ts'
import { createWorkerPool } from '../../../../src/mail/pipeline/worker-pool.ts'
import { root } from '../../../support/root.ts'

const pool = createWorkerPool({
  workerFile: join(root, 'dist/scan-worker.js'),
  threads: 1,
  deadlineMs: 400,
  clock: systemClock,
})
const { signal } = new AbortController()
const count = (text: string): Extract<ScanTask, { kind: 'count' }> => ({
  kind: 'count',
  pattern: '([ab]+[cd]){5}[ef]',
  texts: [text],
  enough: 1,
})
/** Seconds of search. */
const endless = { ...count('abc'.repeat(1_000_000)), enough: 2 }

describe('a pool of worker threads', () => {
  afterAll(() => pool.close())

  it('gives each task of a group its own deadline: the one that overruns fails, those behind it are done', async () => {
    await pool.run<'count'>(count('f'), signal)
    const quick = count('acacacacace')
    const all = [quick, endless, quick, quick].map((task) => pool.run<'count'>(task, signal))
    const ends = await Promise.allSettled(all)
    expect(ends.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as Error).message))).toEqual([
      1,
      'no answer within 0.4 s',
      1,
      1,
    ])
  })

  it('forgets a task that is no longer wanted, and rejects what waits when it closes', async () => {
    const unwanted = new AbortController()
    const left = pool.run<'count'>(count('f'), unwanted.signal)
    unwanted.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    const waiting = pool.run<'count'>(count('f'), signal)
    await Promise.all([expect(waiting).rejects.toThrow('the scan workers are stopped'), pool.close()])
    await expect(pool.run<'count'>(count('f'), signal)).rejects.toThrow('the scan workers are stopped')
  })
})
