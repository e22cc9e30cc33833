/** What we use of yauzl 3.4.0, which has no types. */
declare module 'yauzl' {
  import type { EventEmitter } from 'node:events'
  import type { Readable } from 'node:stream'

  export interface Entry {
    /** Bytes as in the archive, with decodeStrings off. */
    readonly fileName: Buffer
    readonly uncompressedSize: number
    isEncrypted(): boolean
  }
  export interface ZipFile extends EventEmitter {
    readEntry(): void
    openReadStream(entry: Entry, done: (error: Error | null, stream: Readable) => void): void
    close(): void
  }
  const yauzl: {
    fromBuffer(
      bytes: Buffer,
      options: { readonly lazyEntries: boolean; readonly decodeStrings: boolean; readonly validateEntrySizes: boolean },
      done: (error: Error | null, file: ZipFile) => void,
    ): void
  }
  export default yauzl
}
