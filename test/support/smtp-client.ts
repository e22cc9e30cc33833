import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface Reply {
  readonly code: number
  readonly text: string
}

export interface Envelope {
  readonly from: string
  readonly to: readonly string[]
}

/** A small SMTP client of our own, so that what is sent is exactly what a test says. */
export class SmtpClient {
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>
  /** What the server said first. */
  greeting = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    this.#lines = createInterface({ input: socket, crlfDelay: Infinity })[Symbol.asyncIterator]()
  }

  /** Connects, reads the greeting and says EHLO. */
  static async open(
    port: number,
    options: { readonly host?: string; readonly helo?: string } = {},
  ): Promise<SmtpClient> {
    const socket = connect({ port, host: options.host ?? '127.0.0.1' })
    socket.setTimeout(30_000, () => socket.destroy(new Error('the SMTP server is silent')))
    const client = new SmtpClient(socket)
    client.greeting = (await client.#expect(220)).text
    await client.command(`EHLO ${options.helo ?? 'client.example.net'}`, 250)
    return client
  }

  async command(line: string, expected?: number): Promise<Reply> {
    this.#socket.write(`${line}\r\n`)
    return expected === undefined ? await this.reply() : await this.#expect(expected)
  }

  /** One message from MAIL to the answer after the final dot; `data` as the receiver shall see it. */
  async send(envelope: Envelope, data: Buffer): Promise<Reply> {
    await this.command(`MAIL FROM:<${envelope.from}>`, 250)
    for (const to of envelope.to) await this.command(`RCPT TO:<${to}>`, 250)
    await this.command('DATA', 354)
    this.#socket.write(Buffer.concat([stuffed(data), Buffer.from('.\r\n')]))
    return await this.reply()
  }

  async quit(): Promise<void> {
    await this.command('QUIT', 221)
    this.close()
  }

  close(): void {
    this.#socket.destroy()
  }

  async reply(): Promise<Reply> {
    const texts: string[] = []
    for (;;) {
      const line = await this.#lines.next()
      if (line.done === true) throw new Error('the SMTP server closed the connection')
      const [, code, more, text] = /^(\d{3})([ -]?)(.*)$/.exec(line.value) ?? []
      if (code === undefined || text === undefined) throw new Error(`not an SMTP reply: ${line.value}`)
      texts.push(text)
      if (more !== '-') return { code: Number(code), text: texts.join('\n') }
    }
  }

  async #expect(code: number): Promise<Reply> {
    const reply = await this.reply()
    if (reply.code !== code) throw new Error(`expected ${code}, got ${reply.code} ${reply.text}`)
    return reply
  }
}

/** Dot-stuffing (RFC 5321 §4.5.2), and the line end that the final dot needs before it. */
const stuffed = (data: Buffer): Buffer => {
  const text = data.toString('latin1').replace(/(^|\r\n)\./g, '$1..')
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1')
}
