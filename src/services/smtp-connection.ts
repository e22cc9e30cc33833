import type { Socket } from 'node:net'
import { receiving } from '../config/sections/receiving.ts'
import { errorText } from '../core/errors.ts'
import type { MailFlow } from '../mail/smtp/host-access.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import type { Credentials } from '../mail/smtp/sasl.ts'
import { SmtpSession } from '../mail/smtp/session.ts'
import type { SmtpAnswer, SmtpOutput } from '../mail/smtp/session-types.ts'
import { saidEarly } from './early-talker.ts'
import { authenticate } from './smtp-authentication.ts'
import { rejection, scoreText, tellArrival } from './smtp-admission.ts'
import type { SmtpClientInfo, SmtpConnectionDeps } from './smtp-connection-deps.ts'
import { secureSocket, tlsDetails } from './smtp-tls.ts'
import { SmtpTransaction } from './smtp-transaction.ts'

const WRITE_BUFFER = 65_536
const ENDED = new Error('the connection has ended')

/** One client: moves bytes between its socket and the session, and does what the session asks. */
export class SmtpConnection {
  readonly #deps: SmtpConnectionDeps
  readonly #client: SmtpClientInfo
  readonly #session: SmtpSession
  readonly #ended = new AbortController()
  readonly #onEnd: () => void
  readonly #flow: MailFlow
  readonly #transaction: SmtpTransaction
  #socket: Socket
  #progressAt: number
  #held = 0
  #closing = false
  #upgrading = false
  #secure = false
  /** Its opening has been told: whatever ends it is told too. */
  #begun = false
  readonly #openedAt: number

  constructor(deps: SmtpConnectionDeps, client: SmtpClientInfo, socket: Socket, onEnd: () => void) {
    this.#deps = deps
    this.#client = client
    this.#socket = socket
    this.#onEnd = onEnd
    this.#openedAt = this.#progressAt = deps.env.clock.monotonic()
    this.#flow = client.admitted.decision.flow
    this.#session = new SmtpSession({
      hostname: client.hostname,
      tls: this.#flow.tls,
      smtpAuth: this.#flow.smtpAuth,
      maxRecipients: this.#flow.maxRecipients,
      maxMessageBytes: this.#flow.maxMessageBytes,
      greeting: this.#flow.bannerText,
      maxMessages: this.#flow.maxMessagesPerConnection,
      bareNewlines: client.listener.bareNewlines,
      tlsHasRoom: () => deps.budget.secure < deps.config.get(receiving).maxTlsConcurrency,
    })
    const conversation = () => ({ helo: this.#session.helo, protocol: this.#session.protocol })
    this.#transaction = new SmtpTransaction(deps, client, conversation, this.#ended.signal)
    this.#attach(socket)
  }

  /** Greets at once; the first command waits for the client's name, which has its own time-out. */
  async start(): Promise<void> {
    const { icid, remoteAddress, admitted, listener } = this.#client
    const { events } = this.#deps
    const tellTls = listener.implicitTls ? await this.#startWithTls() : null
    const refused = this.#flow.behaviour === 'REJECT' && !this.#transaction.delayedReject
    const early = refused || this.#flow.earlyTalker === 'accept' ? Buffer.alloc(0) : await saidEarly(this.#socket)
    const tooEarly = early.length > 0 && this.#flow.earlyTalker === 'reject'
    if (!refused && !tooEarly && !this.#socket.destroyed) this.#handle(this.#session.greet())
    const name = await admitted.name
    this.#transaction.name = name
    tellArrival(events, this.#client, name, scoreText(await admitted.score))
    this.#begun = true
    tellTls?.()
    if (early.length > 0)
      events.publish({ type: 'connection.early-talker', icid, bytes: early.length, rejected: tooEarly })
    if (tooEarly) return this.#close('close', `554 5.5.1 ${this.#client.hostname} you talked before the greeting\r\n`)
    if (refused) return this.#close('close', `${rejection(this.#flow, this.#client)}\r\n`)
    if (this.#transaction.delayedReject) events.publish({ type: 'connection.reject-delayed', icid, remoteAddress })
    if (this.#closing || this.#socket.destroyed) return this.#finish('lost')
    this.#socket.on('data', this.#onData)
    this.#socket.resume()
    if (early.length > 0) this.#onData(early)
  }

  /** Called now and then: closes a client that is too slow. */
  checkTime(now: number): void {
    if (this.#closing || this.#transaction.storing) return
    const { timeoutSeconds, totalSeconds } = this.#deps.config.get(receiving)
    if (now - this.#progressAt >= (this.#session.receiving ? SMTP_LIMITS.dataSeconds : timeoutSeconds) * 1000)
      return this.#upgrading ? this.destroy() : this.#handle(this.#session.end('timeout'), 'timeout')
    if (!this.#begun || this.#upgrading || !this.#expired(now, totalSeconds)) return
    const { icid, remoteAddress } = this.#client
    this.#deps.events.publish({ type: 'connection.expired', icid, remoteAddress })
    this.#handle(this.#session.end('expired'))
  }

  /** Between messages, or long after one that does not end. */
  #expired(now: number, totalSeconds: number): boolean {
    const busy = this.#session.busy || this.#session.receiving
    return now - this.#openedAt >= (totalSeconds + (busy ? SMTP_LIMITS.dataSeconds : 0)) * 1000
  }

  /** 421 to a client that is between messages. */
  stopWhenIdle(): void {
    if (!this.#session.busy && !this.#session.receiving && !this.#closing) this.#handle(this.#session.end('stopping'))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #attach(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    socket.on('close', this.#onSocketClose)
    socket.on('drain', this.#onDrain)
    // Their side is done: all that came before has been answered, since a waiting session pauses the socket.
    socket.on('end', () => socket.end())
  }

  readonly #onSocketClose = (): void => {
    this.#giveUp()
    // Until its opening has been told, `start` ends it.
    if (this.#begun || this.#closing) this.#finish('lost')
  }

  readonly #onDrain = (): void => {
    if (!this.#session.waiting) this.#socket.resume()
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#handle(this.#session.feed(bytes))
    const held = this.#session.held
    this.#deps.budget.held += held - this.#held
    this.#held = held
    if (this.#session.receiving && this.#deps.budget.held > SMTP_LIMITS.inFlightBytes) this.#session.overload()
    if (this.#session.waiting || this.#socket.writableLength > WRITE_BUFFER) this.#socket.pause()
  }

  #handle(outputs: readonly SmtpOutput[], how: 'close' | 'timeout' = 'close'): void {
    let text = ''
    let pending = outputs
    while (pending.length > 0) {
      const now = pending
      pending = []
      for (const output of now) {
        if (output.kind === 'reply') {
          text += output.text
          this.#progressAt = this.#deps.env.clock.monotonic()
        } else if (output.kind === 'recipient') {
          const answer = this.#transaction.recipient(output.address, output.options)
          if (answer instanceof Promise) void this.#later(answer)
          else pending = this.#session.answer(answer)
        } else if (output.kind === 'close') return this.#close(how, text, output.quit)
        else if (output.kind === 'start-tls') {
          this.#socket.write(text, (error) => {
            // A client that is gone by now is ended by the close of its socket.
            if (error || this.#closing || this.#socket.destroyed) return
            this.#upgrade((tell) => tell())
            this.#socket.on('data', this.#onData)
          })
          return
        } else this.#do(output)
      }
    }
    if (text !== '') this.#socket.write(text)
  }

  #do(output: Exclude<SmtpOutput, { kind: 'reply' | 'recipient' | 'close' | 'start-tls' }>): void {
    const { events } = this.#deps
    const { icid } = this.#client
    switch (output.kind) {
      case 'sender':
        return void this.#later(this.#transaction.sender(output.address, output.options))
      case 'message':
        return void this.#later(this.#transaction.message(output.bytes))
      case 'abandoned':
        return this.#transaction.abort('Receiving aborted by sender')
      case 'refused':
        return this.#transaction.refused(output.reason)
      case 'authenticate':
        return void this.#later(this.#authenticate(output.credentials))
      case 'auth-missing':
        return events.publish({ type: 'connection.auth-missing', icid })
      case 'tls-missing':
        return events.publish({ type: 'connection.tls-missing', icid })
      case 'unknown':
        return events.publish({ type: 'connection.unknown-command', icid, command: output.command.slice(0, 100) })
    }
  }

  /** The session reads on once the answer is there. */
  async #later(answer: Promise<SmtpAnswer>): Promise<void> {
    const given = await answer
    if (this.#closing) return
    this.#handle(this.#session.answer(given))
    this.#deps.budget.held -= this.#held
    this.#held = 0
    if (!this.#session.waiting && !this.#closing) this.#socket.resume()
  }

  async #authenticate(credentials: Credentials): Promise<SmtpAnswer> {
    const answer = await authenticate(this.#deps, this.#client, credentials, this.#ended.signal)
    if (answer.accept) this.#transaction.authenticated()
    return answer
  }

  /** TLS before anything is said (RFC 8314). Answers what tells of it, once the opening of the connection has been told. */
  async #startWithTls(): Promise<() => void> {
    const { budget, config, events } = this.#deps
    const { icid } = this.#client
    if (budget.secure >= config.get(receiving).maxTlsConcurrency) {
      this.#socket.destroy()
      return () =>
        events.publish({ type: 'connection.receiving-failed', icid, reason: 'TLS connection limit exceeded' })
    }
    return await new Promise((resolve) => {
      this.#upgrade(resolve)
      // A client that goes away in the middle of the handshake says nothing.
      this.#socket.once('close', () => resolve(() => undefined))
    })
  }

  /** `told` gets what tells how the handshake went, as soon as that is known. */
  #upgrade(told: (tell: () => void) => void): void {
    const { events, tls } = this.#deps
    const { icid, listener } = this.#client
    const plain = this.#socket
    this.#upgrading = true
    plain.removeListener('data', this.#onData)
    plain.removeListener('close', this.#onSocketClose)
    plain.removeListener('drain', this.#onDrain)
    const secure = secureSocket(plain, tls(listener), this.#flow.verifyClient)
    this.#secure = true
    this.#deps.budget.secure++
    this.#socket = secure
    this.#attach(secure)
    secure.once('error', (error) => {
      if (this.#upgrading) told(() => events.publish({ type: 'connection.tls-failed', icid, error: errorText(error) }))
    })
    secure.once('secure', () => {
      this.#upgrading = false
      const details = tlsDetails(secure)
      this.#progressAt = this.#deps.env.clock.monotonic()
      this.#session.secured()
      told(() => events.publish({ type: 'connection.tls', icid, ...details }))
    })
  }

  /**
   * After `quit` the client sends nothing more: once the kernel has our answer, how it closes its side is not waited for.
   * One that went on talking would lose the replies that it has not read, to its messages too.
   */
  #close(how: 'close' | 'timeout', text: string, quit = false): void {
    this.#socket.removeListener('data', this.#onData)
    this.#socket.write(text)
    if (quit && !this.#secure && !this.#session.talkative && this.#socket.writableLength === 0) this.#socket.destroy()
    else this.#socket.end()
    this.#deps.lingering.add(this.#socket)
    this.#finish(how)
  }

  /** What is asked for this client is not needed any more. */
  #giveUp(): void {
    if (this.#session.waiting) this.#ended.abort(ENDED)
  }

  /** Once: whatever came first, our close or theirs. */
  #finish(how: 'close' | 'lost' | 'timeout'): void {
    this.#giveUp()
    if (this.#closing) return
    this.#closing = true
    this.#deps.budget.held -= this.#held
    this.#held = 0
    if (this.#secure) this.#deps.budget.secure--
    if (!this.#transaction.storing) this.#transaction.abort('Receiving aborted by sender')
    this.#deps.events.publish({ type: 'connection.closed', icid: this.#client.icid, how })
    this.#onEnd()
  }
}
