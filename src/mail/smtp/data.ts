/**
 * The text of a message after DATA: removes dot-stuffing and finds its end. Only CRLF "." CRLF ends it (RFC 5321 §4.1.1.4):
 * a CR or LF alone is never a line end here, so nothing can be smuggled past the end of a message.
 */
const LF = 10
const CR = 13
const DOT = 46
const NUL = 0

type Position =
  | 'start' // at the beginning of a line
  | 'text'
  | 'cr' // after a CR
  | 'dot' // after a dot at the beginning of a line
  | 'dot-cr' // after a dot at the beginning of a line and a CR

const FIRST_BYTES = 16_384
const CRLF_BYTES = Buffer.from('\r\n')
const LF_BYTES = Buffer.from('\n')
const CR_BYTES = Buffer.from('\r')
const NUL_BYTES = Buffer.of(NUL)
const NOTHING = Buffer.alloc(0)
/** Buffers of FIRST_BYTES that wait for the next messages. */
const SPARE = 32
const spare: Buffer[] = []

export interface DataResult {
  /** Null when the message was over the limit. In memory of its own, so that it can go to another thread alone. */
  readonly bytes: Buffer | null
  readonly size: number
  readonly bareNewline: boolean
  readonly nul: boolean
}

export class DataDecoder {
  readonly #limit: number
  readonly #convert: boolean
  /** Grows by doubling: a client that sends single bytes costs no more memory than one that sends packets. */
  #buffer: Buffer = NOTHING
  #kept = 0
  #size = 0
  #position: Position = 'start'
  #bareNewline = false
  #nul = false
  #discard = false

  /** `convert` makes CRLF of a bare CR or LF and takes NULs out; otherwise they are only reported. */
  constructor(limit: number, convert: boolean) {
    this.#limit = limit
    this.#convert = convert
  }

  /** Bytes held in memory. */
  get kept(): number {
    return this.#buffer.length
  }

  /** Reads on to the end, but keeps nothing more. */
  discard(): void {
    this.#discard = true
    this.#giveBack()
    this.#kept = 0
  }

  /** Offset in `chunk` after the end of the message, or -1 when all of it belongs to the message. */
  write(chunk: Buffer, start: number): number {
    const { length } = chunk
    let position = this.#position
    let from = start // first byte that is not yet taken over
    for (let i = start; i < length; i++) {
      let byte = chunk[i] as number
      if (position === 'text') {
        // Nearly all bytes of a message: what cannot be a line end or NUL is passed over here.
        while (byte > CR && ++i < length) byte = chunk[i] as number
        if (i >= length) break
        if (byte === CR) position = 'cr'
        else if (byte === LF || byte === NUL) {
          this.#keep(chunk, from, i)
          from = i + 1
          this.#odd(byte)
        }
        continue
      }
      switch (position) {
        case 'start':
          if (byte === DOT) {
            this.#keep(chunk, from, i)
            from = i + 1 // the dot is stuffing or the end
            position = 'dot'
            continue
          }
          break
        case 'cr':
          if (byte === LF) {
            position = 'start'
            continue
          }
          // The CR before was bare; it is the last byte taken over, or stands in the chunk before this one.
          this.#bareNewline = true
          if (this.#convert) {
            this.#keep(chunk, from, i)
            from = i
            this.#keep(LF_BYTES)
          }
          break
        case 'dot':
          if (byte === CR) {
            from = i + 1
            position = 'dot-cr'
            continue
          }
          break
        case 'dot-cr':
          if (byte === LF) return i + 1
          this.#bareNewline = true
          this.#keep(this.#convert ? CRLF_BYTES : CR_BYTES)
          from = i
          break
      }
      position = byte === CR ? 'cr' : 'text'
      if (byte === LF || byte === NUL) {
        this.#keep(chunk, from, i)
        from = i + 1
        this.#odd(byte)
      }
    }
    this.#position = position
    this.#keep(chunk, from)
    return -1
  }

  /** A bare LF or a NUL. The line goes on: what follows is not the beginning of a line. */
  #odd(byte: number): void {
    if (byte === NUL) {
      this.#nul = true
      if (!this.#convert) this.#keep(NUL_BYTES)
      return
    }
    this.#bareNewline = true
    this.#keep(this.#convert ? CRLF_BYTES : LF_BYTES)
  }

  #keep(bytes: Buffer, from = 0, to = bytes.length): void {
    if (to <= from) return
    this.#size += to - from
    if (this.#size > this.#limit && !this.#discard) this.discard()
    if (this.#discard) return
    const kept = this.#kept + to - from
    if (kept > this.#buffer.length) {
      const size = Math.max(FIRST_BYTES, 2 * this.#buffer.length, kept)
      const grown = (size === FIRST_BYTES ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(size)
      this.#buffer.copy(grown, 0, 0, this.#kept)
      this.#giveBack()
      this.#buffer = grown
    }
    bytes.copy(this.#buffer, this.#kept, from, to)
    this.#kept = kept
  }

  /** The next message begins in the same memory: most never need more. Only what was written there is ever read. */
  #giveBack(): void {
    if (this.#buffer.length === FIRST_BYTES && spare.length < SPARE) spare.push(this.#buffer)
    this.#buffer = NOTHING
  }

  finish(): DataResult {
    let bytes: Buffer | null = null
    if (!this.#discard) {
      bytes = Buffer.from(new ArrayBuffer(this.#kept))
      this.#buffer.copy(bytes, 0, 0, this.#kept)
      this.#giveBack()
    }
    return { bytes, size: this.#size, bareNewline: this.#bareNewline, nul: this.#nul }
  }
}
