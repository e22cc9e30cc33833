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
  #buffer: Buffer = Buffer.alloc(0)
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
    this.#buffer = Buffer.alloc(0)
    this.#kept = 0
  }

  /** Offset in `chunk` after the end of the message, or -1 when all of it belongs to the message. */
  write(chunk: Buffer, start: number): number {
    let from = start // first byte that is not yet taken over
    const take = (to: number): void => {
      if (to > from) this.#keep(chunk.subarray(from, to))
    }
    for (let i = start; i < chunk.length; i++) {
      const byte = chunk[i]
      switch (this.#position) {
        case 'text':
          if (byte === CR) this.#position = 'cr'
          else if (byte === LF || byte === NUL) {
            take(i)
            from = i + 1
            this.#odd(byte)
          }
          continue
        case 'start':
          if (byte === DOT) {
            take(i)
            from = i + 1 // the dot is stuffing or the end
            this.#position = 'dot'
            continue
          }
          break
        case 'cr':
          if (byte === LF) {
            this.#position = 'start'
            continue
          }
          // The CR before was bare; it is the last byte taken over, or stands in the chunk before this one.
          this.#bareNewline = true
          if (this.#convert) {
            take(i)
            from = i
            this.#keep(LF_BYTES)
          }
          break
        case 'dot':
          if (byte === CR) {
            from = i + 1
            this.#position = 'dot-cr'
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
      this.#position = byte === CR ? 'cr' : 'text'
      if (byte === LF || byte === NUL) {
        take(i)
        from = i + 1
        this.#odd(byte)
      }
    }
    take(chunk.length)
    return -1
  }

  /** A bare LF or a NUL. The line goes on: what follows is not the beginning of a line. */
  #odd(byte: number): void {
    if (byte === NUL) {
      this.#nul = true
      if (!this.#convert) this.#keep(Buffer.of(NUL))
      return
    }
    this.#bareNewline = true
    this.#keep(this.#convert ? CRLF_BYTES : LF_BYTES)
  }

  #keep(bytes: Buffer): void {
    this.#size += bytes.length
    if (this.#size > this.#limit && !this.#discard) this.discard()
    if (this.#discard) return
    if (this.#kept + bytes.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#buffer.length, this.#kept + bytes.length))
      this.#buffer.copy(grown, 0, 0, this.#kept)
      this.#buffer = grown
    }
    this.#kept += bytes.copy(this.#buffer, this.#kept)
  }

  finish(): DataResult {
    let bytes: Buffer | null = null
    if (!this.#discard) {
      bytes = Buffer.from(new ArrayBuffer(this.#kept))
      this.#buffer.copy(bytes, 0, 0, this.#kept)
    }
    return { bytes, size: this.#size, bareNewline: this.#bareNewline, nul: this.#nul }
  }
}
