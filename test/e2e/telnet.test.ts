import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshHome, program, removeHome, serve } from '../support/appliance.ts'
import type { Serving } from '../support/appliance.ts'
import { until, which } from '../support/processes.ts'
import { openTmux } from '../support/tmux.ts'
import type { Tmux } from '../support/tmux.ts'

const skip = which('tmux') === null

describe.skipIf(skip)(`telnet on a real terminal${skip ? ' (skipped: tmux is not installed)' : ''}`, () => {
  let home: string
  let gateway: Serving
  let terminal: Tmux
  let server: Server
  let heard = ''
  beforeAll(async () => {
    home = freshHome()
    gateway = await serve(home, { args: ['--hostname', 'mail.example.com'] })
    terminal = await openTmux([process.execPath, program, '--home', home])
    server = createServer((socket) => {
      socket.write(Buffer.concat([Buffer.from([255, 253, 24]), Buffer.from('220 \u001b[2Jready\r\nname: ')]))
      socket.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1')
        if (heard.endsWith('QUIT\r\n')) socket.end('221 bye\r\n')
      })
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  }, 60_000)
  afterAll(async () => {
    await terminal.close()
    server.close()
    await gateway.stop()
    removeHome(home)
  })

  it('passes keys at once, obeys nothing, and leaves with ^] or with the other side', async () => {
    const { port } = server.address() as AddressInfo
    await terminal.sees(/^mail\.example\.com>\s*$/m)
    await terminal.keys(`telnet 127.0.0.1 ${port}`, 'Enter')
    await terminal.sees(/Escape character is '\^\]'\.\n220 \\x1b\[2Jready\nname: *$/m)
    await until('the option is refused', async () => heard === '\u00ff\u00fc\u0018')
    await terminal.keys('a', 'C-c')
    await until('keys come without Enter', async () => heard.endsWith('\u0018a\u0003'))
    await terminal.keys('C-]')
    await terminal.sees(/name: a\^C\nConnection closed\.\n+mail\.example\.com>\s*$/)
    await terminal.keys(`telnet 127.0.0.1 ${port}`, 'Enter')
    await terminal.sees(/Connection closed\.[\s\S]*name: *$/m)
    await terminal.keys('QUIT', 'Enter')
    const screen = await terminal.sees(/221 bye\nConnection closed by foreign host\.\n+mail\.example\.com>\s*$/)
    expect(screen).toContain('name: QUIT\n')
  }, 30_000)
})
