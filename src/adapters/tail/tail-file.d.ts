/** What we use of tail-file 1.4.16, which has no types. */
declare module 'tail-file' {
  import type { EventEmitter } from 'node:events'

  export default class Tail extends EventEmitter {
    constructor(
      filename: string,
      options?: { readonly startPos?: 'start' | 'end'; readonly force?: boolean; readonly _bufsize?: number },
    )
    filename: string
    /** Byte position of the next read. */
    pos: number | 'init'
    ino: number | null
    /** Read and not handed out yet. */
    txt: string
    /** The file now tailed; null when stopped. */
    started: string | null
    reading: boolean
    /** The directory changed while it was reading. */
    readable: boolean
    start(): void
    stop(): Promise<unknown>
    readStuff(): void
    onEndOfFileForTail(): void
  }
}
