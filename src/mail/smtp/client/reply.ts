/** One reply of a server (RFC 5321 §4.2). */
export interface Reply {
  readonly code: number
  /** All its lines, codes included, joined by `\n`. */
  readonly text: string
  /** Its lines without the code. */
  readonly lines: readonly string[]
}

/** What a server says is not SMTP, or has no end. The connection cannot be used any more. */
export class ReplyFault extends Error {
  override name = 'ReplyFault'
}

const LF = 10
const LINE_BYTES = 4096
const REPLY_LINES = 128
/** RFC 5321 §4.2.1 has 2 to 5 as the first digit; a line with a code alone is complete. */
const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s

/**
 * Cuts a server's bytes into replies. A line may end in LF alone: a client that waits for more would wait for ever. The last
 * line of a reply says its code, as RFC 5321 §4.2.1 lets clients read it.
 */
export class ReplyReader {
  #input: Buffer = Buffer.alloc(0)
  #lines: string[] = []
  #raw: string[] = []

  push(bytes: Buffer): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes])
  }

  /** Forgets what has not been read: plain text behind the reply to STARTTLS. */
  discard(): void {
    this.#input = Buffer.alloc(0)
    this.#lines = []
    this.#raw = []
  }

  /** @throws ReplyFault */
  next(): Reply | null {
    for (;;) {
      const lf = this.#input.indexOf(LF)
      if ((lf < 0 ? this.#input.length : lf) > LINE_BYTES) throw new ReplyFault('the host sent a line without an end')
      if (lf < 0) return null
      const end = lf > 0 && this.#input[lf - 1] === 13 ? lf - 1 : lf
      const line = this.#input.toString('utf8', 0, end)
      this.#input = this.#input.subarray(lf + 1)
      const match = LINE.exec(line)
      if (!match) throw new ReplyFault(`the host's answer is not SMTP: ${line.slice(0, 200)}`)
      this.#raw.push(line)
      this.#lines.push(match[3] ?? '')
      if (match[2] !== '-') return this.#take(Number(match[1]))
      if (this.#raw.length >= REPLY_LINES) throw new ReplyFault('the host sent a reply without an end')
    }
  }

  #take(code: number): Reply {
    const reply = { code, text: this.#raw.join('\n'), lines: this.#lines }
    this.#raw = []
    this.#lines = []
    return reply
  }
}
