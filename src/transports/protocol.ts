/**
 * The control socket's frames: one byte for the type, four for the length (big-endian), then the payload.
 * node: modules only, because the attaching client loads this.
 */
export const FRAME = {
  /** client → server, first: JSON `Hello`. */
  hello: 0x48,
  /** Both ways: bytes from the operator's input, bytes to the operator's output. */
  data: 0x44,
  /** client → server: the input has ended. */
  end: 0x45,
  /** client → server: the window is now columns × rows (two 16-bit numbers). */
  resize: 0x52,
  /** client → server: Ctrl-C came as a signal. */
  interrupt: 0x49,
  /** server → client: the client may send one more `data` frame. */
  pull: 0x50,
  /** server → client: text for standard error. */
  notice: 0x4e,
  /** server → client, last: the exit status (one byte). */
  exit: 0x58,
} as const

export const PROTOCOL_VERSION = 1
/** A frame that claims more than this is refused; senders cut their data to `MAX_DATA`. */
const MAX_FRAME = 1024 * 1024
export const MAX_DATA = 64 * 1024
const HEAD = 5

export interface Hello {
  readonly version: number
  readonly pid: number
  /** Somebody types: prompts are edited at the server, the client's terminal is in raw mode. */
  readonly tty: boolean
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
  readonly echo: boolean
  readonly keepGoing: boolean
  readonly command?: string
}

export const frame = (type: number, payload: Uint8Array | string = ''): Buffer => {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const out = Buffer.allocUnsafe(HEAD + body.length)
  out.writeUInt8(type, 0)
  out.writeUInt32BE(body.length, 1)
  out.set(body, HEAD)
  return out
}

/** `data` frames of at most `MAX_DATA` bytes each. */
export const dataFrames = (data: Uint8Array | string): readonly Buffer[] => {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += MAX_DATA) frames.push(frame(FRAME.data, bytes.subarray(at, at + MAX_DATA)))
  return frames
}

export const resizeFrame = (columns: number, rows: number): Buffer => {
  const body = Buffer.alloc(4)
  body.writeUInt16BE(Math.min(columns, 65_535), 0)
  body.writeUInt16BE(Math.min(rows, 65_535), 2)
  return frame(FRAME.resize, body)
}

/** Cuts a byte stream into frames. @throws Error on a frame beyond the limit: the peer does not speak this protocol. */
export const frameReader = (onFrame: (type: number, payload: Buffer) => void): ((chunk: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= HEAD) {
      const length = rest.readUInt32BE(1)
      if (length > MAX_FRAME) throw new Error(`a frame of ${length} bytes is too long`)
      if (rest.length < HEAD + length) return
      const type = rest.readUInt8(0)
      const payload = rest.subarray(HEAD, HEAD + length)
      rest = rest.subarray(HEAD + length)
      onFrame(type, payload)
    }
  }
}

/** null = not a greeting that we understand. */
export const readHello = (payload: Buffer): Hello | null => {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const h = value as Partial<Record<keyof Hello, unknown>>
  const numbers = [h.version, h.pid, h.columns, h.rows].every(
    (n) => typeof n === 'number' && Number.isInteger(n) && n >= 0,
  )
  const flags = [h.tty, h.colour, h.echo, h.keepGoing].every((b) => typeof b === 'boolean')
  const command = h.command === undefined || typeof h.command === 'string'
  return numbers && flags && command ? (value as Hello) : null
}
