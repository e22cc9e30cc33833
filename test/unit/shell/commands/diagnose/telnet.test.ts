import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Fault } from '../../../../../src/core/errors.ts'
import type { Appliance } from '../../../../../src/services/appliance.ts'
import telnet from '../../../../../src/shell/commands/diagnose/telnet.ts'
import type { Session } from '../../../../../src/shell/command.ts'
import { entryOf, runInShell } from '../../../../support/shell-harness.ts'
import { typedTty } from '../../../../support/tty-harness.ts'
import type { TypedTty } from '../../../../support/tty-harness.ts'

describe('telnet', () => {
  it('says why a host is not reached, which is no fault of the appliance', async () => {
    const network = {
      connect: () => Promise.reject(new Fault('UPSTREAM_UNAVAILABLE', '192.0.2.1 port 25: connection refused.')),
    } as unknown as Appliance['network']
    const { terminal, events, status } = await runInShell({
      commands: [entryOf(telnet)],
      answers: ['telnet 192.0.2.1'],
      parts: { network },
    })
    expect(terminal.transcript()).toContain('Trying 192.0.2.1...\n192.0.2.1 port 25: connection refused.\n\n')
    expect(events.some((e) => e.type === 'system.fault')).toBe(false)
    expect(status).toBe(1)
  })
})

describe('telnet on a terminal', () => {
  const opened: { destroy(): void }[] = []
  afterEach(() => opened.splice(0).forEach((one) => one.destroy()))

  /** The command over a real terminal and a real connection; `peer` is the other side's end of it. */
  const session = async (): Promise<{ tty: TypedTty; peer: Socket; heard: () => string; ended: Promise<void> }> => {
    const server = createServer().listen(0, '127.0.0.1')
    opened.push({ destroy: () => server.close() })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const network = {
      connect: async () => {
        const socket = connect(port, '127.0.0.1')
        await once(socket, 'connect')
        return { socket, address: '127.0.0.1' }
      },
    }
    const tty = typedTty()
    const { terminal } = tty
    const print = (line: string): void => terminal.write(`${line}\n`)
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const ended = telnet.forms?.[0]?.run({ terminal, print, appliance: { network } } as unknown as Session, ['host'])
    const [peer] = await accepted
    opened.push(peer)
    let heard = ''
    peer.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')))
    peer.on('error', () => undefined)
    await expect.poll(() => tty.output(), { interval: 1 }).toContain("Escape character is '^]'.\n")
    tty.clear()
    return { tty, peer, heard: () => heard, ended: Promise.resolve(ended) }
  }
  const poll = (text: () => string): ReturnType<typeof expect.poll> => expect.poll(text, { interval: 1 })

  it('sends each key at once and shows unfinished lines', async () => {
    const { tty, peer, heard, ended } = await session()
    peer.write(Buffer.concat([Buffer.from('login: '), Buffer.from([255, 251, 1]), Buffer.from('\u001b[2J')]))
    await poll(() => tty.output()).toBe('login: \\x1b[2J')
    await poll(heard).toBe('\u00ff\u00fe\u0001')
    await tty.type('a')
    await poll(heard).toBe('\u00ff\u00fe\u0001a')
    await tty.type('\u0003\r')
    await poll(heard).toBe('\u00ff\u00fe\u0001a\u0003\r\n')
    await tty.type('x\u001d')
    await ended
    expect(tty.output()).toBe('login: \\x1b[2Ja^C\nx\nConnection closed.\n')
  })

  it('comes back when the other side closes, and the keys are the prompt’s again', async () => {
    const { tty, peer, ended } = await session()
    peer.end('221 bye\r\n')
    await ended
    expect(tty.output()).toBe('221 bye\nConnection closed by foreign host.\n')
    const line = tty.terminal.readLine('> ')
    await tty.type('version\r')
    expect(await line).toBe('version')
  })

  it('closes the connection when the operator’s side goes away', async () => {
    const { tty, peer, ended } = await session()
    const closed = once(peer, 'close')
    tty.end()
    await ended
    await closed
  })
})
