import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HashListFiles } from '../../intel/sources/port.ts'

/** `<directory>/NAME.hashes`, 0600. What is lost with the machine is had anew: only that a file is whole matters. */
export const diskHashListFiles = (directory: string): HashListFiles => {
  const path = (name: string): string => join(directory, `${name}.hashes`)
  return {
    read: async (name) => {
      try {
        return await readFile(path(name))
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return null
        throw error
      }
    },
    write: async (name, bytes) => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const file = await open(`${path(name)}.new`, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path(name)}.new`, path(name))
    },
    remove: async (name) => {
      try {
        await rm(path(name))
        return true
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return false
        throw error
      }
    },
  }
}
