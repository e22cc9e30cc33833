import type { Socket } from 'node:net'
import type { IncomingRelay } from '../config/sections/incoming-relays.ts'
import { receiving } from '../config/sections/receiving.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import type { MailFlow } from '../mail/smtp/host-access.ts'
import { longerLine, peekHeaders } from '../mail/smtp/header-peek.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import type { Credentials } from '../mail/smtp/sasl.ts'
import { SmtpSession } from '../mail/smtp/session.ts'
import type { RecipientOptions, SenderOptions } from '../mail/smtp/mail-parameters.ts'
import type { SmtpAnswer, SmtpOutput } from '../mail/smtp/session-types.ts'
import type { Direction, Recipient } from '../store/spool.ts'
import { saidEarly } from './early-talker.ts'
import type { ReverseName } from './reverse-dns.ts'
import { authenticate } from './smtp-authentication.ts'
import { rejection, scoreText, tellArrival } from './smtp-admission.ts'
import type { Envelope, SmtpClientInfo, SmtpConnectionDeps } from './smtp-connection-deps.ts'
import { incomingRelay, originOfMessage } from './smtp-origin.ts'
import { judgeRecipient, tellHarvest } from './smtp-recipient.ts'
import type { RecipientVerdict } from './smtp-recipient.ts'
import { refusedSender } from './smtp-sender.ts'
import { spoolEntry, storeRefusal } from './smtp-spool-entry.ts'
import { secureSocket, tlsDetails } from './smtp-tls.ts'

interface Incoming extends SenderOptions {
  readonly mid: number
  readonly sender: string
  readonly recipients: Recipient[]
  readonly messageGuid: string
}

const WRITE_BUFFER = 65_536
const ENDED = new Error('the connection has ended')
const guid = (env: Env): string => Buffer.from(env.entropy.bytes(16)).toString('base64')

/** One client: moves bytes between its socket and the session, and does what the session asks. */
export class SmtpConnection {
  readonly #deps: SmtpConnectionDeps
  readonly #client: SmtpClientInfo
  readonly #session: SmtpSession
  readonly #guid: string
  readonly #ended = new AbortController()
  readonly #onEnd: () => void
  readonly #flow: MailFlow
  #direction: Direction
  /** The host that hands its mail on to us for others; null = the client speaks for itself. */
  readonly #relay: IncomingRelay | null
  /** Lets a refused client talk, to log its recipients. */
  readonly #delayedReject: boolean
  #socket: Socket
  #name: ReverseName = { host: null, verified: false }
  #mail: Incoming | null = null
  #progressAt: number
  #held = 0
  #closing = false
  /** The spool is taking the message in: its fate is the spool's, whatever the client does. */
  #storing = false
  #upgrading = false
  #secure = false
  /** Its opening has been told: whatever ends it is told too. */
  #begun = false
  readonly #openedAt: number
  /** Too many invalid recipients, told once. */
  #harvesting = false

  constructor(deps: SmtpConnectionDeps, client: SmtpClientInfo, socket: Socket, onEnd: () => void) {
    this.#deps = deps
    this.#client = client
    this.#socket = socket
    this.#onEnd = onEnd
    this.#guid = guid(deps.env)
    this.#openedAt = this.#progressAt = deps.env.clock.monotonic()
    this.#flow = client.admitted.decision.flow
    this.#direction = this.#flow.behaviour === 'RELAY' ? 'outgoing' : 'incoming'
    this.#relay = this.#direction === 'incoming' ? incomingRelay(deps, client.remoteAddress) : null
    this.#delayedReject = this.#flow.behaviour === 'REJECT' && deps.config.get(receiving).rejectAtRecipient
    this.#session = new SmtpSession({
      ...this.#flow,
      hostname: client.hostname,
      greeting: this.#flow.bannerText,
      maxMessages: this.#flow.maxMessagesPerConnection,
      bareNewlines: client.listener.bareNewlines,
      tlsHasRoom: () => deps.budget.secure < deps.config.get(receiving).maxTlsConcurrency,
    })
    this.#attach(socket)
  }

  /** Greets at once; the first command waits for the client's name, which has its own time-out. */
  async start(): Promise<void> {
    const { icid, remoteAddress, admitted } = this.#client
    const { events } = this.#deps
    const refused = this.#flow.behaviour === 'REJECT' && !this.#delayedReject
    const early = refused || this.#flow.earlyTalker === 'accept' ? Buffer.alloc(0) : await saidEarly(this.#socket)
    const tooEarly = early.length > 0 && this.#flow.earlyTalker === 'reject'
    if (!refused && !tooEarly) this.#handle(this.#session.greet())
    this.#name = await admitted.name
    tellArrival(events, this.#client, this.#name, scoreText(await admitted.score))
    this.#begun = true
    if (early.length > 0)
      events.publish({ type: 'connection.early-talker', icid, bytes: early.length, rejected: tooEarly })
    if (tooEarly) return this.#close('close', `554 5.5.1 ${this.#client.hostname} you talked before the greeting\r\n`)
    if (refused) return this.#close('close', `${rejection(this.#flow, this.#client)}\r\n`)
    if (this.#delayedReject) events.publish({ type: 'connection.reject-delayed', icid, remoteAddress })
    if (this.#ended.signal.aborted || this.#socket.destroyed) return this.#finish('lost')
    this.#socket.on('data', this.#onData)
    this.#socket.resume()
    if (early.length > 0) this.#onData(early)
  }

  /** Called now and then: closes a client that is too slow. */
  checkTime(now: number): void {
    if (this.#closing || this.#storing) return
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
    this.#ended.abort(ENDED)
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
          const answer = this.#recipient(output.address, output.options)
          if (answer instanceof Promise) void this.#later(answer)
          else pending = this.#session.answer(answer)
        } else if (output.kind === 'close') return this.#close(how, text)
        else if (output.kind === 'start-tls') {
          this.#socket.write(text, () => this.#upgrade())
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
        return void this.#later(this.#sender(output.address, output.options))
      case 'message':
        return void this.#later(this.#message(output.bytes))
      case 'abandoned':
        return this.#abort('Receiving aborted by sender')
      case 'refused':
        events.publish({ type: 'connection.receiving-failed', icid, reason: output.reason })
        return this.#abort('Receiving aborted')
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

  async #sender(sender: string, options: SenderOptions): Promise<SmtpAnswer> {
    const { ids, env, events, onEnvelope } = this.#deps
    const { icid, remoteAddress } = this.#client
    const refusal = await refusedSender(this.#deps, this.#flow, icid, sender, this.#ended.signal)
    if (refusal !== null) return { accept: false, reply: refusal }
    let mid: number
    try {
      mid = ids.next('mid')
    } catch {
      return { accept: false, reply: '451 4.3.0 no message id can be reserved, try again later' }
    }
    this.#mail = { ...options, mid, sender, recipients: [], messageGuid: guid(env) }
    events.publish({ type: 'message.started', mid, icid })
    events.publish({ type: 'message.sender', mid, icid, sender })
    const envelope: Envelope = {
      mid,
      icid,
      sender,
      remoteAddress,
      helo: this.#session.helo,
      reverseHost: this.#name.host,
      reverseVerified: this.#name.verified,
      direction: this.#direction,
      sdr: this.#flow.sdr,
    }
    // Whose mail a relay hands on is known with the header only.
    if (this.#relay === null) await onEnvelope?.(envelope, this.#ended.signal).catch(() => undefined)
    return { accept: true, reply: null }
  }

  async #authenticate(credentials: Credentials): Promise<SmtpAnswer> {
    const answer = await authenticate(this.#deps, this.#client, credentials, this.#ended.signal)
    // Whoever has a name here submits mail: to anybody.
    if (answer.accept && this.#flow.behaviour === 'ACCEPT') this.#direction = 'outgoing'
    return answer
  }

  #recipient(given: string, options: RecipientOptions): SmtpAnswer | Promise<SmtpAnswer> {
    if (this.#delayedReject)
      return this.#refuseRecipient(given, 'Receiving Control', rejection(this.#flow, this.#client))
    const { sender } = this.#mail as Incoming
    const client = { ...this.#client, sender, flow: this.#flow, relayed: this.#direction === 'outgoing' }
    const verdict = judgeRecipient(this.#deps, client, given)
    const judged = (v: RecipientVerdict): SmtpAnswer => this.#judged(given, options, v)
    return verdict instanceof Promise ? verdict.then(judged) : judged(verdict)
  }

  #judged(given: string, options: RecipientOptions, verdict: RecipientVerdict): SmtpAnswer {
    // The client left while its recipient was looked up.
    if (!this.#mail) return { accept: false, reply: null }
    if ('by' in verdict) {
      const answer = this.#refuseRecipient(given, verdict.by, verdict.reply)
      return verdict.harvest ? this.#harvest(this.#mail, answer) : answer
    }
    if ('later' in verdict) return { accept: false, reply: verdict.later }
    return this.#validated(this.#mail, { ...options, address: verdict.address }, verdict.reply)
  }

  #harvest(mail: Incoming, answer: SmtpAnswer): SmtpAnswer {
    if (!this.#harvesting) tellHarvest(this.#deps.events, this.#client, this.#name.host, mail)
    this.#harvesting = true
    return { ...answer, close: this.#flow.harvestDrop }
  }

  #validated(mail: Incoming, recipient: Omit<Recipient, 'rid'>, reply: string | null): SmtpAnswer {
    const rid = mail.recipients.push({ ...recipient, rid: mail.recipients.length }) - 1
    const { icid } = this.#client
    this.#deps.events.publish({ type: 'message.recipient', mid: mail.mid, icid, rid, recipient: recipient.address })
    return { accept: true, reply }
  }

  #refuseRecipient(recipient: string, by: string, reply: string): SmtpAnswer {
    const { mid } = this.#mail as Incoming
    const { icid } = this.#client
    this.#deps.events.publish({ type: 'message.recipient-rejected', mid, icid, recipient, by })
    return { accept: false, reply }
  }

  async #message(bytes: Buffer): Promise<SmtpAnswer> {
    const mail = this.#mail as Incoming
    const { hops, tooLong, messageId, subject } = peekHeaders(bytes, this.#deps.config.get(receiving).maxHeaderFields)
    if (hops > SMTP_LIMITS.hops)
      return this.#refuse('Message loop', '554 5.4.6 the message goes in circles: too many Received headers')
    if (tooLong) return this.#refuse('Header too long', '552 5.3.4 the header has too many fields or bytes')
    if (longerLine(bytes, this.#deps.config.get(receiving).maxLineBytes))
      return this.#refuse('Line too long', '552 5.6.0 a line of the message is too long')
    this.#storing = true
    try {
      await this.#accept(mail, bytes, messageId, subject)
    } catch (error) {
      this.#storing = false
      return this.#refuse(errorText(error), storeRefusal(error))
    }
    this.#storing = false
    this.#mail = null
    this.#deps.onAccepted(mail.mid)
    return { accept: true, reply: `250 2.0.0 ok: Message ${mail.mid} accepted` }
  }

  #refuse(reason: string, reply: string): SmtpAnswer {
    this.#deps.events.publish({ type: 'connection.receiving-failed', icid: this.#client.icid, reason })
    this.#abort('Receiving aborted')
    return { accept: false, reply }
  }

  async #accept(mail: Incoming, bytes: Buffer, messageId: string | null, subject: string): Promise<void> {
    const { env, spool, offsetSeconds, config } = this.#deps
    const own = { address: this.#client.remoteAddress, name: this.#name }
    const origin = this.#relay === null ? own : await originOfMessage(this.#deps, this.#relay, own, mail.mid, bytes)
    const message = {
      ...mail,
      connectionGuid: this.#guid,
      direction: this.#direction,
      helo: this.#session.helo,
      protocol: this.#session.protocol,
      messageId,
      subject,
      bytes,
      origin,
      addMessageId: config.get(receiving).addMessageId,
    }
    await spool.accept(spoolEntry(env, offsetSeconds, this.#client, this.#name, message))
  }

  #upgrade(): void {
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
      if (this.#upgrading) events.publish({ type: 'connection.tls-failed', icid, error: errorText(error) })
    })
    secure.once('secure', () => {
      this.#upgrading = false
      events.publish({ type: 'connection.tls', icid, ...tlsDetails(secure) })
      this.#progressAt = this.#deps.env.clock.monotonic()
      this.#session.secured()
    })
    secure.on('data', this.#onData)
  }

  #abort(reason: string): void {
    const mail = this.#mail
    this.#mail = null
    if (!mail) return
    this.#deps.events.publish({ type: 'message.aborted', mid: mail.mid, reason })
    this.#deps.events.publish({ type: 'message.finished', mid: mail.mid })
  }

  #close(how: 'close' | 'timeout', text: string): void {
    this.#socket.end(text)
    // A client that does not read its last reply is not waited for.
    this.#socket.setTimeout(5000, () => this.#socket.destroy())
    this.#finish(how)
  }

  /** Once: whatever came first, our close or theirs. */
  #finish(how: 'close' | 'lost' | 'timeout'): void {
    this.#ended.abort(ENDED)
    if (this.#closing) return
    this.#closing = true
    this.#deps.budget.held -= this.#held
    this.#held = 0
    if (this.#secure) this.#deps.budget.secure--
    if (!this.#storing) this.#abort('Receiving aborted by sender')
    this.#deps.events.publish({ type: 'connection.closed', icid: this.#client.icid, how })
    this.#onEnd()
  }
}
