import { parentPort, workerData } from 'node:worker_threads'
import { errorText } from '../../core/errors.ts'
import { runScanTask } from './scan-task.ts'
import type { ScanAnswer, ScanTask } from './scan-task.ts'

/** Entry of the scan worker threads: tasks come in groups, are done in order, and are answered in groups. */
export type WorkerAnswer = { readonly value: ScanAnswer[ScanTask['kind']] } | { readonly error: string }

/** Answers of a group that takes longer do not wait for its end. */
const ANSWER_MS = 20

const answerOf = async (task: ScanTask): Promise<WorkerAnswer> => {
  try {
    return { value: await runScanTask(task) }
  } catch (error) {
    return { error: errorText(error) }
  }
}

const port = parentPort
if (port) {
  const begun = new Int32Array(workerData as SharedArrayBuffer)
  const queue: ScanTask[] = []
  let running = false
  const run = async (): Promise<void> => {
    running = true
    let answers: WorkerAnswer[] = []
    let since = performance.now()
    for (let task = queue.shift(); task; task = queue.shift()) {
      Atomics.add(begun, 0, 1)
      answers.push(await answerOf(task))
      if (queue.length > 0 && performance.now() - since < ANSWER_MS) continue
      port.postMessage(answers)
      answers = []
      since = performance.now()
    }
    running = false
  }
  port.on('message', (tasks: readonly ScanTask[]) => {
    queue.push(...tasks)
    if (!running) void run()
  })
  // Loaded: from now on deadlines count.
  port.postMessage([])
}
