import { mailboxKey } from './address.ts'
import { parseCommand } from './commands.ts'
import type { Command } from './commands.ts'
import { DataDecoder } from './data.ts'
import type { DataResult } from './data.ts'
import { readRecipient, readSender } from './envelope-commands.ts'
import { SmtpInput } from './input.ts'
import { SMTP_LIMITS } from './limits.ts'
import { REPLIES } from './replies.ts'
import { SaslExchange } from './sasl.ts'
import type { SaslStep } from './sasl.ts'
import type { SmtpAnswer, SmtpOutput, SmtpSettings } from './session-types.ts'

type Waiting = 'sender' | 'recipient' | 'message' | 'tls' | 'auth'

interface Transaction {
  readonly utf8: boolean
  readonly recipients: Set<string>
}

/** Another protocol's client, made to talk to us by somebody's page: nothing it says is a command. */
const FOREIGN = new Set(['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'CONNECT', 'HOST:'])

/**
 * The server side of an SMTP conversation without I/O: bytes in, replies and events out (RFC 5321, 1870, 2034, 2920, 3207,
 * 3461, 6152, 6531). The same bytes give the same conversation however they are cut into packets.
 */
export class SmtpSession {
  readonly #settings: SmtpSettings
  #out: SmtpOutput[] = []
  readonly #input = new SmtpInput()
  #waiting: Waiting | null = null
  #closed = false
  #talkative = false
  #decoder: DataDecoder | null = null
  #transaction: Transaction | null = null
  #asked: { readonly address: string; readonly utf8: boolean } | null = null
  #helo: { readonly name: string; readonly extended: boolean } | null = null
  #secure = false
  /** AUTH is under way: the next line belongs to it. */
  #sasl: SaslExchange | null = null
  #authenticated = false
  #overloaded = false
  #messages = 0
  #errors = 0

  constructor(settings: SmtpSettings) {
    this.#settings = settings
  }

  get helo(): string {
    return this.#helo?.name ?? ''
  }

  /** RFC 3848 and RFC 6531 §4.3: what our Received header says after `with`. */
  get protocol(): string {
    if (!this.#helo?.extended) return 'SMTP'
    return `${this.#transaction?.utf8 ? 'UTF8SMTP' : 'ESMTP'}${this.#secure ? 'S' : ''}${this.#authenticated ? 'A' : ''}`
  }

  get waiting(): boolean {
    return this.#waiting !== null
  }

  get receiving(): boolean {
    return this.#decoder !== null
  }

  /** The client sent more behind what closed the conversation: to close at once would reset it and lose it the replies. */
  get talkative(): boolean {
    return this.#talkative
  }

  /** A transaction is open. */
  get busy(): boolean {
    return this.#transaction !== null || this.#waiting !== null
  }

  /** Bytes held in memory: input not yet read and the message that is coming in. */
  get held(): number {
    return this.#input.length + (this.#decoder?.kept ?? 0)
  }

  greet(): readonly SmtpOutput[] {
    this.#reply(`220 ${this.#settings.hostname} ${this.#settings.greeting}`)
    return this.#flush()
  }

  feed(bytes: Buffer): readonly SmtpOutput[] {
    if (this.#closed) return []
    this.#input.add(bytes)
    return this.#run()
  }

  answer(answer: SmtpAnswer): readonly SmtpOutput[] {
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting === 'sender' && answer.accept)
      this.#transaction = { utf8: this.#asked?.utf8 ?? false, recipients: new Set() }
    if (waiting === 'recipient' && answer.accept)
      this.#transaction?.recipients.add(mailboxKey(this.#asked?.address ?? ''))
    if (waiting === 'message') {
      this.#transaction = null
      this.#messages++
      // Who delivers mail is no prober: a long-lived connection is not ended by the sum of its wrong recipients.
      if (answer.accept) this.#errors = 0
    }
    if (waiting === 'auth') this.#authenticated = answer.accept
    const words = {
      sender: REPLIES.sender,
      recipient: REPLIES.recipient,
      auth: answer.accept ? REPLIES.authDone : REPLIES.authFailed,
    }
    const text = answer.reply ?? words[waiting === 'sender' || waiting === 'auth' ? waiting : 'recipient']
    if (answer.accept) this.#reply(text)
    else if (waiting === 'recipient') this.#refuseRecipient(text)
    else this.#refuse(text)
    if (answer.close === true && !answer.accept && !this.#closed) this.#close(null)
    return this.#run()
  }

  /** TLS is up: all that was learnt before is forgotten (RFC 3207 §4.2). */
  secured(): void {
    this.#waiting = null
    this.#secure = true
    this.#authenticated = false
    this.#helo = null
    this.#input.clear()
  }

  /** Too much memory is in use: the message that is coming in is read to its end, thrown away, and answered 452. */
  overload(): void {
    this.#overloaded = true
    this.#decoder?.discard()
  }

  /** Ends the conversation from our side: time-out or shut-down. */
  end(reply: 'timeout' | 'stopping' | 'expired'): readonly SmtpOutput[] {
    if (this.#closed) return []
    this.#close(REPLIES[reply])
    return this.#flush()
  }

  #run(): readonly SmtpOutput[] {
    while (!this.#closed && this.#waiting === null && this.#input.length > 0 && this.#step());
    return this.#flush()
  }

  #flush(): readonly SmtpOutput[] {
    const out = this.#out
    this.#out = []
    return out
  }

  /** One step on the input; false when more is needed. */
  #step(): boolean {
    return this.#decoder ? this.#readData(this.#decoder) : this.#readLine()
  }

  #readLine(): boolean {
    const line = this.#input.line(this.#sasl ? SMTP_LIMITS.saslBytes : SMTP_LIMITS.commandBytes)
    if (line === null) return false
    if (line.kind === 'too-long') this.#refuseLine(REPLIES.tooLong)
    else if (line.bare && this.#settings.bareNewlines === 'reject') this.#refuseLine(REPLIES.bareNewline)
    else {
      const command = parseCommand(line.bytes)
      if (command && this.#sasl) this.#saslStep(this.#sasl.next(line.bytes.toString('latin1')))
      else if (command) this.#command(command)
      else this.#refuseLine(REPLIES.badBytes)
    }
    return true
  }

  /** A line that cannot be read ends AUTH too: the next one is a command. */
  #refuseLine(reply: string): void {
    this.#sasl = null
    this.#refuse(reply)
  }

  #command({ verb, argument }: Command): void {
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb === 'EHLO', argument)
      case 'MAIL':
        return this.#mail(argument)
      case 'RCPT':
        return this.#rcpt(argument)
      case 'DATA':
        return this.#data(argument)
      case 'RSET':
        if (argument !== '') return this.#refuse(REPLIES.noArgument)
        this.#abandon()
        return this.#reply(REPLIES.reset)
      case 'NOOP':
        return this.#reply(REPLIES.ok)
      case 'VRFY':
        return argument === '' ? this.#refuse(REPLIES.argumentMissing) : this.#reply(REPLIES.verify)
      case 'HELP':
        return this.#reply(REPLIES.help)
      case 'STARTTLS':
        return this.#startTls(argument)
      case 'QUIT':
        return this.#close(`221 2.0.0 ${this.#settings.hostname}`, true)
      case 'BDAT':
        return this.#bdat(argument)
      case 'AUTH':
        return this.#auth(argument)
      case 'EXPN':
      case 'ETRN':
        return this.#refuse(REPLIES.notOffered)
      default:
        this.#out.push({ kind: 'unknown', command: verb })
        if (FOREIGN.has(verb)) return this.#close(REPLIES.tooManyErrors)
        return this.#refuse(REPLIES.unknown)
    }
  }

  #hello(extended: boolean, name: string): void {
    if (name === '' || name.length > 255 || name.includes(' ')) return this.#refuse(REPLIES.helloSyntax)
    this.#abandon()
    this.#helo = { name, extended }
    const { hostname, tls, maxMessageBytes } = this.#settings
    if (!extended) return this.#reply(`250 ${hostname}`)
    const offers = ['8BITMIME', `SIZE ${maxMessageBytes}`, 'PIPELINING', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES']
    if (tls !== 'off' && !this.#secure) offers.push('STARTTLS')
    if (this.#offersAuth && this.#secure) offers.push('AUTH PLAIN LOGIN')
    const last = offers.length
    this.#reply([hostname, ...offers].map((offer, i) => `250${i === last ? ' ' : '-'}${offer}`).join('\r\n'))
  }

  #mail(argument: string): void {
    if (!this.#helo) return this.#refuse(REPLIES.helloFirst)
    if (this.#settings.tls === 'required' && !this.#secure) {
      this.#out.push({ kind: 'tls-missing' })
      return this.#refuse(REPLIES.tlsFirst)
    }
    if (this.#settings.smtpAuth === 'required' && !this.#authenticated) {
      this.#out.push({ kind: 'auth-missing' })
      return this.#refuse(REPLIES.authFirst)
    }
    if (this.#transaction) return this.#refuse(REPLIES.nested)
    if (this.#messages >= this.#settings.maxMessages) return this.#close(REPLIES.tooManyMessages)
    const { maxMessageBytes } = this.#settings
    const read = readSender(argument, { maxMessageBytes, auth: this.#offersAuth })
    if (typeof read === 'string') return this.#refuse(read)
    const { address, options } = read
    this.#asked = { address, utf8: options.utf8 === true }
    this.#wait('sender', { kind: 'sender', address, options })
  }

  get #offersAuth(): boolean {
    return (this.#settings.smtpAuth ?? 'off') !== 'off'
  }

  /** RFC 4954. Never in plain text, whatever the listener says. */
  #auth(argument: string): void {
    const [, mechanism = '', initial = ''] = /^(\S+)(?:\s+(\S+))?$/.exec(argument) ?? []
    if (!this.#offersAuth) return this.#refuse(REPLIES.notOffered)
    if (!this.#helo) return this.#refuse(REPLIES.helloFirst)
    if (!this.#secure) return this.#refuse(REPLIES.authNeedsTls)
    if (this.#authenticated) return this.#refuse(REPLIES.authAgain)
    if (this.#transaction) return this.#refuse(REPLIES.nested)
    const name = mechanism.toUpperCase()
    if (name !== 'PLAIN' && name !== 'LOGIN') return this.#refuse(REPLIES.authMechanism)
    this.#sasl = new SaslExchange(name)
    this.#saslStep(this.#sasl.begin(initial))
  }

  #saslStep(step: SaslStep): void {
    if (step.kind === 'challenge') return this.#reply(`334 ${step.text}`)
    this.#sasl = null
    if (step.kind === 'done') this.#wait('auth', { kind: 'authenticate', credentials: step.credentials })
    else this.#refuse(step.kind === 'cancelled' ? REPLIES.authCancelled : REPLIES.authSyntax)
  }

  #rcpt(argument: string): void {
    const transaction = this.#transaction
    if (!transaction) return this.#refuse(this.#helo ? REPLIES.mailFirst : REPLIES.helloFirst)
    const read = readRecipient(argument, transaction.utf8)
    if (typeof read === 'string') return this.#refuse(read)
    const { address, options } = read
    if (transaction.recipients.has(mailboxKey(address))) return this.#reply(REPLIES.recipient)
    if (transaction.recipients.size >= this.#settings.maxRecipients)
      return this.#refuseRecipient(REPLIES.tooManyRecipients)
    this.#asked = { address, utf8: transaction.utf8 }
    this.#wait('recipient', { kind: 'recipient', address, options })
  }

  #data(argument: string): void {
    if (argument !== '') return this.#refuse(REPLIES.noArgument)
    if (!this.#transaction) return this.#refuse(this.#helo ? REPLIES.mailFirst : REPLIES.helloFirst)
    if (this.#transaction.recipients.size === 0) return this.#refuse(REPLIES.rcptFirst)
    this.#overloaded = false
    this.#decoder = new DataDecoder(this.#settings.maxMessageBytes, this.#settings.bareNewlines === 'convert')
    this.#reply(REPLIES.data)
  }

  #readData(decoder: DataDecoder): boolean {
    if (!this.#input.read((bytes) => decoder.write(bytes, 0))) return false
    this.#decoder = null
    this.#finish(decoder.finish())
    return true
  }

  #finish({ bytes, bareNewline, nul }: DataResult): void {
    if (this.#overloaded) return this.#refuseMessage('Out of memory', REPLIES.busy)
    if (!bytes) return this.#refuseMessage('Message size exceeds limit', REPLIES.tooBig)
    if (this.#settings.bareNewlines === 'reject') {
      if (bareNewline) return this.#refuseMessage('Bare CR or LF in the message', REPLIES.messageNewlines)
      if (nul) return this.#refuseMessage('NUL in the message', REPLIES.messageNul)
    }
    this.#wait('message', { kind: 'message', bytes, utf8: this.#transaction?.utf8 ?? false })
  }

  #refuseMessage(reason: string, reply: string): void {
    this.#out.push({ kind: 'refused', reason })
    this.#abandon()
    this.#refuse(reply)
  }

  #startTls(argument: string): void {
    if (argument !== '') return this.#refuse(REPLIES.noArgument)
    if (this.#settings.tls === 'off') return this.#refuse(REPLIES.notOffered)
    if (this.#secure) return this.#refuse(REPLIES.secure)
    if (this.#settings.tlsHasRoom?.() === false) return this.#refuse(REPLIES.tlsBusy)
    this.#abandon()
    this.#reply(REPLIES.startTls)
    // Plaintext that stands behind STARTTLS was never protected: it is not read (CVE-2011-0411).
    this.#input.clear()
    this.#wait('tls', { kind: 'start-tls' })
  }

  /** CHUNKING is not offered. The octets that belong to the command are skipped, so that none is taken for a command. */
  #bdat(argument: string): void {
    const [, size] = /^(\d{1,15})(?: LAST)?$/i.exec(argument) ?? []
    if (size === undefined) return this.#close(REPLIES.tooManyErrors)
    this.#input.skip(Number(size))
    this.#refuse(REPLIES.notOffered)
  }

  #wait(what: Waiting, output: SmtpOutput): void {
    this.#waiting = what
    this.#out.push(output)
  }

  #abandon(): void {
    if (this.#transaction) this.#out.push({ kind: 'abandoned' })
    this.#transaction = null
  }

  #reply(text: string): void {
    this.#out.push({ kind: 'reply', text: `${text}\r\n` })
  }

  #refuse(text: string): void {
    this.#reply(text)
    if (text.startsWith('421')) return this.#close(null)
    if (++this.#errors >= SMTP_LIMITS.errors) this.#close(REPLIES.tooManyErrors)
  }

  /**
   * A recipient that is refused for now, or beside others that were taken, is no error of the client: closing would
   * lose it the message for those, in every attempt anew (RFC 5321 §4.5.3.1.10). Who tries names out is the harvest
   * prevention's.
   */
  #refuseRecipient(text: string): void {
    const honest = text.startsWith('4') || (this.#transaction?.recipients.size ?? 0) > 0
    if (honest && !text.startsWith('421')) this.#reply(text)
    else this.#refuse(text)
  }

  #close(reply: string | null, quit = false): void {
    this.#abandon()
    this.#decoder = null
    if (reply !== null) this.#reply(reply)
    this.#out.push({ kind: 'close', quit })
    this.#closed = true
    this.#talkative = this.#input.length > 0
    this.#input.clear()
  }
}
