import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of a tick of /proc: USER_HZ is 100 on Linux. */
const TICK_MS = 10

interface Process {
  readonly pid: number
  readonly parent: number
  readonly ms: number
}

/** Fields of /proc/PID/stat behind the name, which may hold blanks: state, ppid, … utime, stime, cutime, cstime. */
const processes = (): readonly Process[] =>
  readdirSync('/proc').flatMap((name): Process[] => {
    if (!/^\d+$/.test(name)) return []
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
        .map(Number)
      const ms = [11, 12, 13, 14].reduce((sum, i) => sum + (fields[i] ?? 0) * TICK_MS, 0)
      return [{ pid: Number(name), parent: fields[1] ?? 0, ms }]
    } catch {
      return []
    }
  })

/** CPU time of processes and all their descendants so far, those that have ended with them. */
export const cpuMs = (roots: readonly number[]): number => {
  const all = processes()
  const wanted = new Set(roots)
  for (let size = 0; size !== wanted.size;) {
    size = wanted.size
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid)
  }
  return all.filter((p) => wanted.has(p.pid)).reduce((sum, p) => sum + p.ms, 0)
}

export const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
