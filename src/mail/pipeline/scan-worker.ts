import { runScanTask } from './scan-task.ts'
import type { ScanAnswer, ScanTask } from './scan-task.ts'

/** Entry of the scan worker threads; piscina calls it with one task at a time. */
export default (task: ScanTask): Promise<ScanAnswer[ScanTask['kind']]> => runScanTask(task)
