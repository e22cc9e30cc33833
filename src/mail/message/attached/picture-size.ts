interface Size {
  readonly width: number
  readonly height: number
}

/**
 * Width and height as the header of a PNG, JPEG, GIF or BMP declares them; null = not one of these, or cut short. Read
 * before decoding: a picture of some bytes may declare gigabytes of pixels.
 */
export const pictureSize = (b: Buffer): Size | null => {
  if (b.length < 26) return null
  if (b[0] === 0x89) return { width: b.readUInt32BE(16), height: b.readUInt32BE(20) }
  if (b[0] === 0x47) return { width: b.readUInt16LE(6), height: b.readUInt16LE(8) }
  if (b[0] === 0x42) return { width: Math.abs(b.readInt32LE(18)), height: Math.abs(b.readInt32LE(22)) }
  return b[0] === 0xff ? jpegSize(b) : null
}

/** The start-of-frame segment (ISO/IEC 10918-1 B.2.2), found by stepping over those before it. */
const jpegSize = (b: Buffer): Size | null => {
  let at = 2
  while (at + 9 < b.length && b[at] === 0xff) {
    const marker = b[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1 // fill byte
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { width: b.readUInt16BE(at + 7), height: b.readUInt16BE(at + 5) }
    at += 2 + b.readUInt16BE(at + 2)
  }
  return null
}
