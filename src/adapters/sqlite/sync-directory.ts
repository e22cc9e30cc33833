import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Puts the names in a directory on stable storage; a file's own sync does not (fsync(2)). */
export const syncDirectory = (path: string): void => {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
