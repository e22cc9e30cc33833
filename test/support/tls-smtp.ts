import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { tcpServer } from './tcp-server.ts'

/** A mail host with STARTTLS (none when `identity` is null) that takes everything; `cert` may be a chain. */
export const tlsSmtp = async (identity: { readonly key: string; readonly cert: string } | null) => {
  const mails: string[] = []
  const names: string[] = []
  const secureContext = identity && createSecureContext({ key: identity.key, cert: identity.cert })
  const talk = (socket: Socket, secure: boolean): void => {
    let input = ''
    let inData = false
    const say = (text: string): void => void socket.write(`${text}\r\n`)
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        input += bytes.toString('latin1')
        for (;;) {
          const end = input.indexOf(inData ? '\r\n.\r\n' : '\r\n')
          if (end < 0) return
          const line = input.slice(0, end)
          input = input.slice(end + (inData ? 5 : 2))
          if (inData) {
            mails.push(line)
            inData = false
            say('250 2.0.0 ok')
          } else if (line.startsWith('EHLO'))
            say(`250-mx\r\n${secureContext && !secure ? '250-STARTTLS\r\n' : ''}250 PIPELINING`)
          else if (line === 'STARTTLS' && secureContext) {
            socket.removeAllListeners('data')
            say('220 go')
            const SNICallback = (name: string, done: (error: null) => void): void => {
              names.push(name)
              done(null)
            }
            talk(new TLSSocket(socket, { isServer: true, secureContext, SNICallback }), true)
            return
          } else if (line === 'DATA') {
            inData = true
            say('354 go on')
          } else if (line === 'QUIT') {
            say('221 bye')
            socket.end()
          } else say('250 2.0.0 ok')
        }
      })
  }
  const server = await tcpServer((socket) => {
    socket.write('220 mx\r\n')
    talk(socket, false)
  })
  return {
    port: server.port,
    mails,
    /** What was asked for by SNI. */
    names,
    get connections() {
      return server.connections
    },
    close: server.close,
  }
}
