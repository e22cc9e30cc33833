import type { Socket } from 'node:net'
import { startTimer } from '../../core/deadline.ts'
import type { Clock } from '../../core/clock.ts'
import { errorText } from '../../core/errors.ts'
import type { SmtpClientOutput } from '../../mail/smtp/client/session-types.ts'
import type { SmtpClientSession } from '../../mail/smtp/client/session.ts'

export type LinkOutput = Exclude<SmtpClientOutput, { readonly kind: 'write' | 'body' }>

/** Between a socket and a session: bytes both ways, the session's time-outs, back pressure. */
export class SmtpLink {
  readonly session: SmtpClientSession
  socket: Socket
  /** Who is told of what is no bytes; one at a time. */
  listener: (output: LinkOutput) => void = () => undefined
  readonly #clock: Clock
  #cancel = (): void => undefined

  constructor(socket: Socket, session: SmtpClientSession, clock: Clock) {
    this.session = session
    this.socket = socket
    this.#clock = clock
    this.#listen(socket)
    this.#watch()
  }

  /** TLS is up on `socket`, which carries the conversation from now on. */
  secured(socket: Socket): void {
    this.socket = socket
    this.#listen(socket)
    this.run(this.session.secured())
  }

  run(outputs: readonly SmtpClientOutput[]): void {
    for (const output of outputs) {
      if (output.kind === 'write') this.socket.write(output.text)
      else if (output.kind === 'body') void this.#body(output.parts).catch((e: unknown) => this.#lost(errorText(e)))
      else {
        if (output.kind === 'close') this.#hangUp()
        this.listener(output)
      }
    }
    this.#watch()
  }

  /** Breaks the connection off at once. */
  destroy(): void {
    this.#cancel()
    this.socket.destroy()
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes) => this.run(this.session.feed(bytes)))
    socket.on('error', (error) => this.#lost(errorText(error)))
    socket.on('end', () => this.#lost('the host closed the connection'))
    socket.on('close', () => this.#lost('the host closed the connection'))
  }

  #lost(reason: string): void {
    this.run(this.session.lost(reason))
  }

  async #body(parts: Iterable<Buffer>): Promise<void> {
    const { socket } = this
    socket.cork()
    let first = true
    for (const part of parts) {
      // What fits into one write goes out as one; a long message waits for the peer.
      if (socket.write(part)) continue
      if (first) socket.uncork()
      first = false
      this.#watch()
      await drained(socket)
      if (socket.destroyed || !this.session.alive) return
    }
    if (first) socket.uncork()
    this.session.bodySent()
    this.#watch()
  }

  /** Says what was still to be said, then closes, whether the host answers or not. */
  #hangUp(): void {
    const { socket } = this
    this.#cancel()
    socket.removeAllListeners('data')
    socket.resume()
    socket.end()
    socket.unref()
    socket.once(
      'close',
      startTimer(this.#clock, LINGER_MS, () => socket.destroy()),
    )
  }

  /** Each step starts the time of the state that it led to. */
  #watch(): void {
    this.#cancel()
    this.#cancel = (): void => undefined
    const ms = this.session.timeoutMs
    if (ms === null) return
    this.#cancel = startTimer(this.#clock, ms, () => {
      this.#lost('the host took too long to answer')
      this.socket.destroy()
    })
  }
}

const LINGER_MS = 1000

const drained = async (socket: Socket): Promise<void> => {
  if (!socket.writableNeedDrain || socket.destroyed) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}
