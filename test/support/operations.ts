import { Session } from 'node:inspector'

/**
 * Coverage runs from before the code under test is first called: V8 counts blocks only in functions that it compiled
 * meanwhile, and functions of before would be counted or not as the garbage collector has it.
 */
const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

/**
 * How often blocks of the code in `folder` run while `work` does: a measure of cost that does not depend on the machine
 * or its load. What a regular expression does inside is not counted.
 */
export const operations = (folder: string, work: () => void): number => {
  session.post('Profiler.takePreciseCoverage')
  work()
  let total = 0
  session.post('Profiler.takePreciseCoverage', (error, answer) => {
    if (error) throw error
    for (const script of answer.result.filter((s) => s.url.includes(folder)))
      for (const f of script.functions) for (const range of f.ranges) total += range.count
  })
  return total
}

/** User and system time of this process, in ms: other processes on the machine do not count. */
export const cpuTime = (work: () => void): number => {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
