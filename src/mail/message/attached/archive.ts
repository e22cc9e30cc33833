import type { ArchiveMember } from './budget.ts'
import { TooMuch } from './budget.ts'

/** Bytes asked of the reader at a time: the size that an archive declares of a member is its sender's word. */
const STEP = 1_048_576

/**
 * The files of a tar, RAR, 7z, xz or bzip2 archive, in its order; encrypted ones read as null. The reader is C compiled
 * to WebAssembly: what a hostile archive breaks is its own memory, which goes with the archive.
 * @throws what libarchive finds wrong with the archive.
 */
export const archiveMembers = async function* (bytes: Buffer): AsyncGenerator<ArchiveMember> {
  const { ArchiveReader, libarchiveWasm } = await import('libarchive-wasm')
  const reader = new ArchiveReader(await libarchiveWasm(), new Int8Array(bytes))
  for (let entry = reader.nextEntryPointer(); entry !== 0; entry = reader.nextEntryPointer()) {
    if (reader.getEntryFiletype(entry) !== 'File') continue
    const encrypted = reader.isEntryEncrypted(entry)
    yield {
      name: reader.getEntryPathname(entry) || 'file',
      read: (maxBytes) => Promise.resolve(encrypted ? null : unpack((size) => reader.readData(size), maxBytes)),
    }
  }
  reader.free()
}

const unpack = (read: (size: number) => Int8Array, maxBytes: number): Buffer => {
  const chunks: Buffer[] = []
  let total = 0
  for (let chunk = read(STEP); chunk.length > 0; chunk = read(STEP)) {
    total += chunk.length
    if (total > maxBytes) throw new TooMuch('an archive unpacks to too much')
    chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
  }
  return Buffer.concat(chunks)
}
