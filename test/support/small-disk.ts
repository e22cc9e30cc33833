import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './processes.ts'

/** A file system of its own, in memory; null where this process may not mount one. */
export const smallDisk = async (size: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-disk-'))
  const { code } = await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder])
  if (code !== 0) {
    rmSync(folder, { recursive: true })
    return null
  }
  const ballast = join(folder, 'ballast')
  return {
    folder,
    /** Takes all room that is left. */
    fill: (): void => {
      const block = Buffer.alloc(16_384)
      for (let size = block.length; size >= 512; size /= 2)
        for (;;)
          try {
            writeFileSync(ballast, block.subarray(0, size), { flag: 'a' })
          } catch {
            break
          }
    },
    free: (): void => rmSync(ballast, { force: true }),
    remove: async (): Promise<void> => {
      await run('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
export type SmallDisk = NonNullable<Awaited<ReturnType<typeof smallDisk>>>
