import { parentPort, workerData } from 'node:worker_threads'
import type { LogSearch } from '../../logs/ports.ts'
import { lineFilter, scanFiles } from './log-scan.ts'

/** Searches files (`paths`), or the lines that it is sent. */
export interface GrepTask {
  readonly wish: LogSearch
  readonly paths: readonly string[] | null
  /** Answers that may still be sent before the other side has taken some. */
  readonly credit: Int32Array
}

/** Entry of the thread in which one `grep` runs; its owner ends it whenever it likes, in the middle of a line too. */
const task = workerData as GrepTask

const send = (lines: readonly string[]): void => {
  const { credit } = task
  while (Atomics.load(credit, 0) <= 0) Atomics.wait(credit, 0, 0)
  Atomics.sub(credit, 0, 1)
  parentPort?.postMessage(lines)
}

if (task.paths !== null) {
  for (const lines of scanFiles(task.paths, task.wish)) if (lines.length > 0) send(lines)
  parentPort?.postMessage(null)
} else {
  const filter = lineFilter(task.wish)
  parentPort?.on('message', (lines: readonly string[]) => parentPort?.postMessage(filter(lines)))
}
