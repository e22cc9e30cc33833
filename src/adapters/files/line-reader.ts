import { createReadStream } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import type { LineReader } from '../../logs/ports.ts'
import { closedName } from './log-names.ts'

const CHUNK_BYTES = 256 * 1024
/** A file without line feeds must not fill the memory: longer lines come in pieces. */
const MAX_LINE = 1024 * 1024

const isMissing = (error: unknown): boolean => (error as { code?: string }).code === 'ENOENT'

async function* linesOf(path: string, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal })) {
    const parts = (rest + decoder.write(chunk as Buffer)).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > MAX_LINE) {
      parts.push(rest)
      rest = ''
    }
    if (parts.length > 0) yield parts
  }
  rest += decoder.end()
  if (rest !== '') yield [rest]
}

/** Reads line by line with constant memory. A file that was closed by rename meanwhile is read under its new name. */
export const createLineReader = (): LineReader => ({
  async *read(path, signal) {
    for (const candidate of new Set([path, closedName(path)])) {
      try {
        yield* linesOf(candidate, signal)
        return
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
  },
})
