import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const up = (folder: string): string => {
  if (existsSync(join(folder, 'package.json'))) return folder
  if (dirname(folder) === folder) throw new Error('no package.json above this file')
  return up(dirname(folder))
}

/** The checkout, also when this file was bundled into dist/. */
export const root = up(dirname(fileURLToPath(import.meta.url)))
