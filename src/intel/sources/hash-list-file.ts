import { createHash } from 'node:crypto'
import { listBytes, swapped } from './hash-list.ts'
import type { HashList } from './hash-list.ts'

/** What a source's hash lists look like on disk: a line of JSON, then the prefixes' bytes. */
interface Head {
  readonly format: 1
  readonly settings: string
  /** Of everything behind the line. */
  readonly sha256: string
  readonly lists: readonly {
    readonly name: string
    readonly version: string
    readonly entries: number
    readonly bytes: number
    /** Position and length of the prefixes that are longer than four bytes. */
    readonly longer: readonly (readonly [at: number, extra: number])[]
  }[]
}

type Lists = ReadonlyMap<string, { readonly list: HashList; readonly version: string }>

export const packLists = (lists: Lists, settings: string): Buffer => {
  const parts = [...lists].map(([name, { list, version }]) => ({ name, version, list, bytes: listBytes(list) }))
  const body = Buffer.concat(parts.map((p) => p.bytes))
  const head: Head = {
    format: 1,
    settings,
    sha256: createHash('sha256').update(body).digest('hex'),
    lists: parts.map(({ name, version, list, bytes }) => ({
      name,
      version,
      entries: list.heads.length,
      bytes: bytes.length,
      longer: [...list.tails].map(([at, tail]) => [at, tail.length] as const),
    })),
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}

const unpackOne = (bytes: Buffer, entries: number, longer: Head['lists'][number]['longer']): HashList => {
  const heads = Buffer.alloc(entries * 4)
  const tails = new Map<number, Buffer>()
  let from = 0
  let done = 0
  for (const [at, extra] of [...longer].sort(([a], [b]) => a - b)) {
    const upTo = from + (at + 1 - done) * 4
    bytes.copy(heads, done * 4, from, upTo)
    tails.set(at, Buffer.from(bytes.subarray(upTo, upTo + extra)))
    from = upTo + extra
    done = at + 1
  }
  bytes.copy(heads, done * 4, from)
  return { heads: swapped(new Uint32Array(heads.buffer, heads.byteOffset, entries)), tails }
}

/** null = not ours, damaged, or of other settings: then the lists are had anew. */
export const unpackLists = (
  file: Buffer,
  settings: string,
): Map<string, { list: HashList; version: string }> | null => {
  const line = file.indexOf(10)
  const body = file.subarray(line + 1)
  try {
    const head = JSON.parse(file.toString('utf8', 0, Math.max(0, line))) as Head
    if (head.format !== 1 || head.settings !== settings) return null
    if (createHash('sha256').update(body).digest('hex') !== head.sha256) return null
    let at = 0
    return new Map(
      head.lists.map(({ name, version, entries, bytes, longer }) => {
        const list = unpackOne(body.subarray(at, at + bytes), entries, longer)
        at += bytes
        return [name, { list, version }]
      }),
    )
  } catch {
    return null
  }
}
