import yauzl from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { TooMuch } from './budget.ts'
import type { ArchiveMember } from './budget.ts'

const open = (bytes: Buffer): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    const options = { lazyEntries: true, decodeStrings: false, validateEntrySizes: true }
    yauzl.fromBuffer(bytes, options, (error, file) => (error ? reject(error) : resolve(file)))
  })

const nextEntry = (file: ZipFile): Promise<Entry | null> =>
  new Promise((resolve, reject) => {
    const off = (): void => {
      file.off('entry', onEntry).off('end', onEnd).off('error', onError)
    }
    const onEntry = (entry: Entry): void => {
      off()
      resolve(entry)
    }
    const onEnd = (): void => {
      off()
      resolve(null)
    }
    const onError = (error: Error): void => {
      off()
      reject(error)
    }
    file.on('entry', onEntry).on('end', onEnd).on('error', onError)
    file.readEntry()
  })

const inflate = (file: ZipFile, entry: Entry, maxBytes: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    file.openReadStream(entry, (error, stream) => {
      if (error) return reject(error)
      const chunks: Buffer[] = []
      let total = 0
      stream.on('data', (chunk: Buffer) => {
        total += chunk.length
        chunks.push(chunk)
        // What the directory says of sizes is the sender's word: only what comes out counts.
        if (total > maxBytes) stream.destroy(new TooMuch('an archive unpacks to too much'))
      })
      stream.once('end', () => resolve(Buffer.concat(chunks)))
      stream.once('error', reject)
    })
  })

/** The files of a ZIP archive in the order of its directory. @throws what yauzl finds wrong with the archive. */
export const zipMembers = async function* (bytes: Buffer): AsyncGenerator<ArchiveMember> {
  const file = await open(bytes)
  try {
    for (let entry = await nextEntry(file); entry; entry = await nextEntry(file)) {
      const member = entry
      yield {
        name: member.fileName.toString('utf8'),
        read: async (maxBytes) => {
          if (member.isEncrypted()) return null
          try {
            return await inflate(file, member, maxBytes)
          } catch (error) {
            if (error instanceof TooMuch) throw error
            return null
          }
        },
      }
    }
  } finally {
    file.close()
  }
}
