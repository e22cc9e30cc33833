import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, ended, until } from './processes.ts'

/**
 * Makes the spool of a running appliance read-only as a file system does that the kernel turned so after an error: files
 * that are open stay open, and every write and sync answers EROFS. (A remount is refused while files are open for writing.)
 */
export const readOnlySpool = async (pid: number, home: string): Promise<{ end(): Promise<void> }> => {
  const spool = join(home, 'db', 'spool.db')
  const calls = 'pwrite64,pwritev,write,writev,ftruncate,fallocate,fsync,fdatasync'
  const paths = [spool, `${spool}-wal`, `${spool}-shm`].flatMap((path) => ['-P', path])
  const child = spawn(
    'strace',
    ['-f', '-q', '-o', '/dev/null', ...paths, '-e', `inject=${calls}:error=EROFS`, '-p', `${pid}`],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const out = collect(child)
  const end = ended(child)
  const status = join('/proc', `${pid}`, 'status')
  await until('strace is attached', async () => {
    if (child.exitCode !== null) throw new Error(`strace ended: ${out().stderr}`)
    return !/^TracerPid:\t0$/m.test(await readFile(status, 'utf8'))
  })
  return {
    end: async () => {
      child.kill('SIGINT')
      await end
    },
  }
}
