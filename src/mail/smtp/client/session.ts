import type { Failure, OutgoingMessage } from '../../delivery/transport.ts'
import { wireBody } from './body.ts'
import { NO_EXTENSIONS, readExtensions } from './extensions.ts'
import type { Extensions } from './extensions.ts'
import { ReplyFault, ReplyReader } from './reply.ts'
import type { Reply } from './reply.ts'
import type { ClientStage, SmtpClientOutput, SmtpClientSettings } from './session-types.ts'
import { failureOf, Transaction } from './transaction.ts'

/** A reply that is waited for. */
interface Expected {
  /** Share of the reply time-out (RFC 5321 §4.5.3.2, with five minutes as the whole). */
  readonly patience: number
  readonly take: (reply: Reply) => void
}

const PATIENCE = { command: 1, data: 2 / 5, block: 3 / 5, end: 2, quit: 1 / 30 } as const

const broken = (response: string): Failure => ({ permanent: false, code: '000', status: '4.4.2', response })
const isOk = (reply: Reply): boolean => reply.code >= 200 && reply.code < 300
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/**
 * The client side of an SMTP conversation without I/O: a server's bytes in, commands and outcomes out (RFC 5321, 1870, 2034,
 * 2920, 3207, 3461, 4954, 6152, 6531). The same bytes give the same conversation however they are cut into packets.
 */
export class SmtpClientSession {
  readonly #settings: SmtpClientSettings
  readonly #reader = new ReplyReader()
  #out: SmtpClientOutput[] = []
  #expected: Expected[] = []
  #stage: ClientStage | 'ready' = 'greeting'
  #extensions: Extensions = NO_EXTENSIONS
  #secure = false
  #tlsFailure: string | null = null
  #securing = false
  #transaction: Transaction | null = null
  /** The body is being written. */
  #streaming = false
  /** A refused transaction may stand open at the host: RSET goes before the next. */
  #untidy = false
  /** Messages that the host has answered on this connection. */
  #answered = 0
  #closed = false

  constructor(settings: SmtpClientSettings) {
    this.#settings = settings
    this.#expect(PATIENCE.command, (reply) => this.#greeted(reply))
  }

  get alive(): boolean {
    return !this.#closed
  }

  /** How long the present state may last; null = nobody waits for anything. */
  get timeoutMs(): number | null {
    if (this.#closed) return null
    const share = this.#securing ? PATIENCE.command : this.#streaming ? PATIENCE.block : this.#expected[0]?.patience
    return share === undefined ? null : this.#settings.replyTimeoutMs * share
  }

  feed(bytes: Buffer): readonly SmtpClientOutput[] {
    if (this.#closed || this.#securing) return []
    this.#reader.push(bytes)
    return this.#read()
  }

  /** TLS is up: all that was learnt before is forgotten (RFC 3207 §4.2). */
  secured(): readonly SmtpClientOutput[] {
    this.#securing = false
    this.#secure = true
    this.#reader.discard()
    this.#hello()
    return this.#flush()
  }

  /** The stream ended, broke or took too long. */
  lost(response: string): readonly SmtpClientOutput[] {
    this.#end(broken(response))
    return this.#flush()
  }

  /** Gives up what is under way. */
  stop(): readonly SmtpClientOutput[] {
    this.#end({ permanent: false, code: '000', status: '4.3.2', response: 'the delivery was stopped' })
    return this.#flush()
  }

  send(message: OutgoingMessage): readonly SmtpClientOutput[] {
    const transaction = new Transaction(message, this.#extensions)
    this.#transaction = transaction
    if (this.#closed) this.#finish(this.#answered > 0 ? null : broken('the host closed the connection'))
    else if (transaction.over) this.#finish(undefined)
    else this.#open(transaction)
    return this.#flush()
  }

  /** The owner has handed over the last of `body`. */
  bodySent(): void {
    this.#streaming = false
  }

  quit(): readonly SmtpClientOutput[] {
    if (this.#closed) return []
    this.#command('QUIT', PATIENCE.quit, () => this.#close())
    return this.#flush()
  }

  #read(): readonly SmtpClientOutput[] {
    try {
      while (!this.#closed && !this.#securing) {
        const reply = this.#reader.next()
        if (!reply) break
        this.#reply(reply)
      }
    } catch (error) {
      if (!(error instanceof ReplyFault)) throw error
      this.#end({ permanent: false, code: '000', status: '4.5.0', response: error.message })
    }
    return this.#flush()
  }

  #reply(reply: Reply): void {
    // 421 ends the conversation wherever it comes (RFC 5321 §3.8).
    if (reply.code === 421) return this.#end(failureOf(reply, false))
    const expected = this.#expected.shift()
    if (!expected) return this.#end(broken('the host said something that nobody had asked'))
    expected.take(reply)
  }

  #flush(): readonly SmtpClientOutput[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #expect(patience: number, take: (reply: Reply) => void): void {
    this.#expected.push({ patience, take })
  }

  #command(text: string, patience: number, take: (reply: Reply) => void): void {
    this.#expect(patience, take)
    this.#out.push({ kind: 'write', text: `${text}\r\n` })
  }

  // The way to a session.

  #greeted(reply: Reply): void {
    if (isOk(reply)) this.#hello()
    else this.#refused('greeting', failureOf(reply, false))
  }

  #hello(): void {
    this.#stage = 'hello'
    const { hostname } = this.#settings
    this.#command(`EHLO ${hostname}`, PATIENCE.command, (reply) => {
      if (isOk(reply)) return this.#introduced(readExtensions(reply.lines))
      if (reply.code < 500) return this.#refused('hello', failureOf(reply, false))
      this.#command(`HELO ${hostname}`, PATIENCE.command, (again) => {
        if (isOk(again)) this.#introduced(NO_EXTENSIONS)
        else this.#refused('hello', failureOf(again, false))
      })
    })
  }

  #introduced(extensions: Extensions): void {
    this.#extensions = extensions
    const { tls, auth } = this.#settings
    if (!this.#secure && this.#tlsFailure === null && tls !== 'no' && extensions.startTls) return this.#startTls()
    if (!this.#secure && tls === 'required') {
      const response = 'STARTTLS is not offered'
      return this.#refused('tls', { permanent: false, code: '000', status: '4.7.4', response })
    }
    if (auth) this.#authenticate(auth)
    else this.#ready()
  }

  #startTls(): void {
    this.#stage = 'tls'
    this.#command('STARTTLS', PATIENCE.command, (reply) => {
      if (reply.code === 220) {
        // What stands behind the reply was never protected: it is not read (CVE-2011-0411).
        this.#reader.discard()
        this.#securing = true
        this.#out.push({ kind: 'start-tls' })
        return
      }
      this.#tlsFailure = `STARTTLS unexpected response ${reply.text.slice(0, 200)}`
      if (this.#settings.tls === 'required') this.#refused('tls', failureOf(reply, false))
      else this.#introduced(this.#extensions)
    })
  }

  #authenticate({ user, passphrase }: { readonly user: string; readonly passphrase: string }): void {
    this.#stage = 'auth'
    const { auth } = this.#extensions
    const fail = (response: string): void =>
      this.#refused('auth', { permanent: false, code: '000', status: '4.7.0', response })
    const judge = (reply: Reply): void => {
      if (reply.code === 235) this.#ready()
      else this.#refused('auth', failureOf(reply, false))
    }
    if (!this.#secure) return fail('the connection is not encrypted, so the passphrase is not sent')
    if (auth.includes('PLAIN'))
      return this.#command(`AUTH PLAIN ${base64(`\0${user}\0${passphrase}`)}`, PATIENCE.command, judge)
    if (!auth.includes('LOGIN')) return fail('the host offers neither AUTH PLAIN nor AUTH LOGIN')
    this.#command('AUTH LOGIN', PATIENCE.command, (first) => {
      if (first.code !== 334) return judge(first)
      this.#command(base64(user), PATIENCE.command, (second) => {
        if (second.code !== 334) return judge(second)
        this.#command(base64(passphrase), PATIENCE.command, judge)
      })
    })
  }

  #ready(): void {
    this.#stage = 'ready'
    this.#out.push({ kind: 'ready', extensions: this.#extensions, tlsFailure: this.#tlsFailure })
  }

  /** No session. A refusal is of this connection, not of the message: it is never final. */
  #refused(stage: ClientStage, failure: Failure): void {
    this.#closed = true
    this.#out.push({ kind: 'write', text: 'QUIT\r\n' })
    this.#out.push({ kind: 'failed', stage, failure: { ...failure, permanent: false } }, { kind: 'close' })
  }

  // A message.

  #open(transaction: Transaction): void {
    const reset = this.#untidy
    this.#untidy = false
    if (this.#extensions.pipelining && transaction.message.envelopeOnly !== true) this.#pipeline(transaction, reset)
    else if (reset)
      this.#command('RSET', PATIENCE.command, (reply) => {
        if (this.#cleared(reply)) this.#mail(transaction)
      })
    else this.#mail(transaction)
  }

  /** RFC 2920: the whole envelope in one write. */
  #pipeline(transaction: Transaction, reset: boolean): void {
    const lines: string[] = []
    if (reset) {
      lines.push('RSET')
      this.#expect(PATIENCE.command, (reply) => void this.#cleared(reply))
    }
    lines.push(transaction.mailCommand())
    this.#expect(PATIENCE.command, (reply) => transaction.mail(reply))
    for (let n = 0; n < transaction.recipients; n++) {
      lines.push(transaction.rcptCommand(n))
      this.#expect(PATIENCE.command, (reply) => transaction.rcpt(n, reply))
    }
    lines.push('DATA')
    this.#expect(PATIENCE.data, (reply) => this.#data(transaction, reply))
    this.#out.push({ kind: 'write', text: `${lines.join('\r\n')}\r\n` })
  }

  /** A host that does not clear the refused message would refuse the next for it. */
  #cleared(reply: Reply): boolean {
    if (!isOk(reply)) this.#end(broken('the host did not take RSET'))
    return isOk(reply)
  }

  #mail(transaction: Transaction): void {
    this.#command(transaction.mailCommand(), PATIENCE.command, (reply) => {
      transaction.mail(reply)
      if (transaction.over) this.#finish(undefined)
      else this.#rcpt(transaction, 0)
    })
  }

  #rcpt(transaction: Transaction, n: number): void {
    if (n === transaction.recipients) {
      if (transaction.accepted && !transaction.over)
        this.#command('DATA', PATIENCE.data, (reply) => this.#data(transaction, reply))
      else this.#finish(undefined)
      return
    }
    this.#command(transaction.rcptCommand(n), PATIENCE.command, (reply) => {
      transaction.rcpt(n, reply)
      this.#rcpt(transaction, n + 1)
    })
  }

  #data(transaction: Transaction, reply: Reply): void {
    if (reply.code !== 354) {
      // Pipelined behind refused recipients a refusal is what was to come, and says nothing new.
      if (transaction.accepted) transaction.end(reply, false)
      return this.#finish(undefined)
    }
    if (transaction.accepted) {
      this.#streaming = true
      this.#expect(PATIENCE.end, (end) => this.#ended(transaction, end))
      this.#out.push({ kind: 'body', parts: wireBody(transaction.message.bytes) })
      return
    }
    // RFC 2920 §3.1: the host waits for a message although it took no recipient. It gets an empty one for nobody.
    this.#command('.', PATIENCE.end, (end) => {
      transaction.end(end, true)
      this.#finish(undefined)
    })
  }

  #ended(transaction: Transaction, reply: Reply): void {
    if (!this.#streaming) {
      transaction.end(reply, true)
      return this.#finish(undefined)
    }
    // An answer before the end: what follows could be taken for commands, so the connection is not used again.
    if (isOk(reply)) this.#end(broken('the host answered before the end of the message'))
    else this.#end(failureOf(reply, false))
  }

  /** `failure`: of those without an answer; null = the host never heard of the message; undefined = all have answers. */
  #finish(failure: Failure | null | undefined): void {
    const transaction = this.#transaction
    if (!transaction) return
    this.#transaction = null
    this.#streaming = false
    if (failure === null) return void this.#out.push({ kind: 'results', results: null })
    if (failure) transaction.fail(failure)
    this.#untidy = transaction.open
    this.#answered++
    this.#out.push({ kind: 'results', results: transaction.results })
  }

  /** Ends everything with one reason. */
  #end(failure: Failure): void {
    if (this.#closed) return
    const stage = this.#stage
    const transaction = this.#transaction
    if (stage !== 'ready') this.#out.push({ kind: 'failed', stage, failure: { ...failure, permanent: false } })
    // A kept connection that breaks before the host's first word about a message has done nothing with it.
    else if (transaction && !transaction.heard && this.#answered > 0) this.#finish(null)
    else this.#finish(failure)
    this.#close()
  }

  #close(): void {
    this.#closed = true
    this.#expected = []
    this.#out.push({ kind: 'close' })
  }
}
