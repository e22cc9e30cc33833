import { decodeText } from './charset.ts'
import { decodeHeader } from './encoded-words.ts'
import { readHeaderBlock } from './header-block.ts'
import type { RawField } from './header-block.ts'
import { SCAN_LIMITS } from './limits.ts'
import type { ScanLimits } from './limits.ts'
import type { HeaderField, ParsedMessage } from './parsed.ts'
import { decodeTransfer } from './transfer.ts'
import type { MimePart } from './walk.ts'

/** The decoded text of a leaf as every stage and every edit sees it. */
export const textOfPart = (raw: Buffer, part: MimePart): string => decodePart(bytesOfPart(raw, part), part)

/** A leaf without its transfer encoding. */
export const bytesOfPart = (raw: Buffer, part: MimePart): Buffer =>
  decodeTransfer(raw.subarray(part.bodyStart, part.bodyEnd), part.encoding ?? 'identity')

/** Bytes in the charset that the part claims. */
export const decodePart = (bytes: Buffer, part: MimePart): string =>
  decodeText(bytes, part.type.parameters.get('charset') ?? 'utf-8')

export const headerFields = (fields: readonly RawField[]): readonly HeaderField[] =>
  fields.map((f) => ({ name: f.name, raw: f.raw, value: decodeHeader(f.raw) }))

/** The first field of that name in a message's header. */
export const fieldNamed = (raw: Buffer, name: string): RawField | undefined =>
  readHeaderBlock(raw, 0, raw.length, SCAN_LIMITS).fields.find((f) => f.name.toLowerCase() === name)

/** What is known of a message that could not be scanned: its header. Cheap and bounded. */
export const unscannable = (raw: Buffer, limits: ScanLimits, reason: string): ParsedMessage => ({
  headers: headerFields(readHeaderBlock(raw, 0, raw.length, limits).fields),
  parts: [],
  attachedText: [],
  attachments: [],
  urls: [],
  urlsCut: false,
  attachmentUrlsCut: false,
  attachmentsLeft: null,
  signed: false,
  scan: { ok: false, reason },
})
