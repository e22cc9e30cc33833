import type { Socket } from 'node:net'
import { tcpServer } from './tcp-server.ts'

export interface RecordedCopy {
  readonly recipients: readonly string[]
  /** Without dot-stuffing and final dot. */
  readonly bytes: Buffer
}

export interface RecordingHop {
  readonly port: number
  /** Connections that are open now. */
  readonly open: number
  close(): Promise<void>
}

const END = Buffer.from('\r\n.\r\n')

/** Takes away dot-stuffing; byte for byte otherwise. */
const unstuffed = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString('latin1').replace(/(^|\r\n)\.\./g, '$1.'), 'latin1')

/** A next hop that takes everything; `onCopy` is told before the 250 is sent, which `delayMs` puts off. */
export const recordingHop = async (
  onCopy: (copy: RecordedCopy) => void,
  delayMs: () => number = () => 0,
): Promise<RecordingHop> => {
  const serve = (socket: Socket): void => {
    let input: Buffer = Buffer.alloc(0)
    let inData = false
    let waiting = false
    let recipients: string[] = []
    const say = (text: string): void => void (socket.writable && socket.write(`${text}\r\n`))
    const line = (text: string): void => {
      const verb = text.slice(0, 4).toUpperCase()
      if (verb === 'EHLO') return say('250-hop.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8')
      if (verb === 'RCPT') recipients.push(/<(.*?)>/.exec(text)?.[1] ?? '')
      if (verb === 'MAIL' || verb === 'RSET') recipients = []
      inData = verb === 'DATA'
      if (verb === 'QUIT') return void socket.end('221 bye\r\n')
      say(inData ? '354 go on' : '250 2.0.0 ok')
    }
    const message = (bytes: Buffer): void => {
      inData = false
      onCopy({ recipients, bytes: unstuffed(bytes) })
      waiting = true
      setTimeout(() => {
        waiting = false
        say('250 2.0.0 Ok: queued')
        read()
      }, delayMs())
    }
    const read = (): void => {
      while (!waiting) {
        // An empty message begins with its final dot.
        const at = inData && input.subarray(0, 3).equals(END.subarray(2)) ? -2 : input.indexOf(inData ? END : '\r\n')
        if (at === -1) return
        const text = input.subarray(0, inData ? Math.max(at + 2, 0) : at)
        input = input.subarray(at + (inData ? END.length : 2))
        if (inData) message(text)
        else line(text.toString('latin1'))
      }
    }
    say('220 hop.example.net ESMTP')
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      read()
    })
  }
  return await tcpServer(serve)
}
