import type { Socket } from 'node:net'
import { tcpServer } from './tcp-server.ts'

/** What a script returns for a server that hangs. */
export const SILENCE = '(silence)'

/** What the server says to a command line; null = hangs up, undefined = the usual reply. */
export type Script = (line: string) => string | null | undefined

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** As on the wire, with dot-stuffing, without the final dot. */
  readonly data: string
}

const usual = (line: string, recipients: number): string => {
  const verb = line.slice(0, 4).toUpperCase()
  if (verb === 'EHLO') return '250-sink.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 SMTPUTF8'
  if (verb === 'DATA') return recipients > 0 ? '354 go on' : '503 no recipients'
  if (verb === 'QUIT') return '221 bye'
  return '250 2.0.0 ok'
}

/** A next hop that keeps what it gets and answers as a test says. `.` in the script is the end of a message. */
export const scriptedSmtp = async (script: Script = () => undefined) => {
  const mails: ReceivedMail[] = []
  const serve = (socket: Socket): void => {
    let input = ''
    let inData = false
    let from = ''
    let to: string[] = []
    const say = (text: string | null): boolean => {
      if (text === null) socket.destroy()
      else if (text !== SILENCE) socket.write(`${text}\r\n`, 'latin1')
      // Who hangs hears nothing more.
      if (text === SILENCE) socket.removeAllListeners('data').pause()
      return text !== null && text !== SILENCE
    }
    const greeting = script('(greeting)')
    if (!say(greeting === undefined ? '220 sink.example ESMTP' : greeting)) return
    socket.on('data', (bytes) => {
      input += bytes.toString('latin1')
      for (;;) {
        const end = input.indexOf(inData ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const line = input.slice(0, end)
        input = input.slice(end + (inData ? 5 : 2))
        const answer = script(inData ? '.' : line)
        const reply =
          answer === undefined
            ? inData
              ? `250 2.0.0 Ok: queued as ${mails.length + 1}`
              : usual(line, to.length)
            : answer
        if (inData) {
          if (reply?.startsWith('2')) mails.push({ from, to, data: `${line}\r\n` })
          inData = false
        } else if (/^MAIL/i.test(line)) {
          from = /<(.*?)>/.exec(line)?.[1] ?? ''
          to = []
        } else if (/^RCPT/i.test(line) && reply?.startsWith('2')) to.push(/<(.*?)>/.exec(line)?.[1] ?? '')
        else if (/^DATA/i.test(line)) inData = reply?.startsWith('3') ?? false
        if (!say(reply)) return
        if (/^QUIT/i.test(line)) return void socket.end()
      }
    })
  }
  const server = await tcpServer(serve)
  return {
    port: server.port,
    mails,
    get connections() {
      return server.connections
    },
    close: server.close,
  }
}
