import { open, stat } from 'node:fs/promises'
import { UserError } from '../../core/errors.ts'
import type { SourceFiles } from '../../intel/sources/port.ts'

const readable = (error: unknown, path: string): UserError => {
  const code = (error as { code?: string }).code
  if (code === 'ENOENT') return new UserError(`${path} does not exist.`)
  if (code === 'EACCES') return new UserError(`${path} cannot be read: permission denied.`)
  return new UserError(`${path} cannot be read (${code ?? 'unknown error'}).`)
}

/** Source files on the local disk. Only regular files: a pipe or device would never end. */
export const diskSourceFiles: SourceFiles = {
  identity: async (path) => {
    const found = await stat(path).catch((error: unknown) => {
      throw readable(error, path)
    })
    if (!found.isFile()) throw new UserError(`${path} is not a file.`)
    return { fingerprint: `${found.dev}.${found.ino}.${found.size}.${found.mtimeMs}`, bytes: found.size }
  },
  read: async (path, maxBytes, signal) => {
    const file = await open(path, 'r').catch((error: unknown) => {
      throw readable(error, path)
    })
    try {
      const chunks: Buffer[] = []
      let total = 0
      for await (const chunk of file.createReadStream({ autoClose: false, signal }) as AsyncIterable<Buffer>) {
        total += chunk.length
        if (total > maxBytes) throw new UserError(`${path} is larger than ${maxBytes} bytes.`)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString('utf8')
    } finally {
      await file.close()
    }
  },
}
