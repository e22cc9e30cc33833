import { crc32 } from 'node:zlib'

/** A RAR 4 archive of stored members (RAR technote, "archive" and "file" blocks) for tests: nothing free writes RAR. */
export const rar = (members: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat([
    Buffer.from('Rar!\x1a\x07\x00', 'latin1'),
    block(0x73, 0, Buffer.alloc(6)),
    ...Object.entries(members).flatMap(([name, text]) => {
      const content = Buffer.from(text)
      const fields = Buffer.alloc(25)
      fields.writeUInt32LE(content.length, 0)
      fields.writeUInt32LE(content.length, 4)
      fields.writeUInt8(3, 8) // Unix
      fields.writeUInt32LE(crc32(content), 9)
      fields.writeUInt32LE(0x5a21_0000, 13)
      fields.writeUInt8(20, 17)
      fields.writeUInt8(0x30, 18) // stored
      fields.writeUInt16LE(Buffer.byteLength(name), 19)
      fields.writeUInt32LE(0o100644, 21)
      return [block(0x74, 0x8000, Buffer.concat([fields, Buffer.from(name)])), content]
    }),
    block(0x7b, 0x4000, Buffer.alloc(0)),
  ])

const block = (type: number, flags: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt8(type, 0)
  head.writeUInt16LE(flags, 1)
  head.writeUInt16LE(7 + body.length, 3)
  const crc = Buffer.alloc(2)
  crc.writeUInt16LE(crc32(Buffer.concat([head, body])) & 0xffff)
  return Buffer.concat([crc, head, body])
}
