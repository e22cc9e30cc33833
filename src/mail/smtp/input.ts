const CR = 13
const LF = 10
const NOTHING: Buffer = Buffer.alloc(0)

/** What stands next in the input; null = the rest of the line has not come yet. */
export type InputLine =
  /** Without its line end; `bare` = that was an LF alone. */
  { readonly kind: 'line'; readonly bytes: Buffer; readonly bare: boolean } | { readonly kind: 'too-long' } | null

/** The bytes that a client has sent and that are not yet read: as lines, as a message, or thrown away. */
export class SmtpInput {
  #bytes: Buffer = NOTHING
  /** The rest of a line that was too long is thrown away. */
  #skippingLine = false
  #skippingOctets = 0

  get length(): number {
    return this.#bytes.length
  }

  add(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
  }

  clear(): void {
    this.#bytes = NOTHING
  }

  /** So many of the next octets are no commands. */
  skip(octets: number): void {
    this.#skippingOctets = octets
    this.#skip()
  }

  /** Hands the bytes to a reader that answers how many it took; -1 = all of them, and its end has not come. */
  read(take: (bytes: Buffer) => number): boolean {
    const end = take(this.#bytes)
    this.#bytes = end < 0 ? NOTHING : this.#bytes.subarray(end)
    return end >= 0
  }

  /** A line longer than `most` bytes, its end included, is told once, as soon as that is known, and then passed over. */
  line(most: number): InputLine {
    this.#skip()
    for (;;) {
      const lf = this.#bytes.indexOf(LF)
      const length = lf < 0 ? this.#bytes.length : lf + 1
      if (length > most && !this.#skippingLine) {
        this.#skippingLine = true
        return { kind: 'too-long' }
      }
      if (lf < 0) {
        if (this.#skippingLine) this.clear()
        return null
      }
      const bare = lf === 0 || this.#bytes[lf - 1] !== CR
      const bytes = this.#bytes.subarray(0, bare ? lf : lf - 1)
      this.#bytes = this.#bytes.subarray(length)
      if (!this.#skippingLine) return { kind: 'line', bytes, bare }
      this.#skippingLine = false
    }
  }

  #skip(): void {
    const n = Math.min(this.#skippingOctets, this.#bytes.length)
    this.#skippingOctets -= n
    this.#bytes = this.#bytes.subarray(n)
  }
}
