import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { networkTools } from '../../../../src/adapters/net/network-tools.ts'
import { Fault } from '../../../../src/core/errors.ts'

const open: { close(): unknown }[] = []
afterEach(() => open.splice(0).forEach((o) => o.close()))
const never = (): AbortSignal => new AbortController().signal

/** A name server that answers every question with the given record, or with an error code. */
const nameServer = async (
  answer: { readonly type: number; readonly data: Buffer; readonly ttl: number } | number,
): Promise<string> => {
  const socket: Socket = createSocket('udp4')
  open.push(socket)
  socket.on('message', (query, from) => {
    const reply = Buffer.from(query)
    reply.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2)
    reply.writeUInt16BE(typeof answer === 'number' ? 0 : 1, 6)
    reply.writeUInt16BE(0, 10)
    // The question ends behind its name, type and class; additional records of the query are left out.
    let end = 12
    while (query.readUInt8(end) !== 0) end += query.readUInt8(end) + 1
    const question = reply.subarray(0, end + 5)
    if (typeof answer === 'number') return socket.send(question, from.port, from.address)
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(answer.type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(answer.ttl, 6)
    record.writeUInt16BE(answer.data.length, 10)
    return socket.send(Buffer.concat([question, record, answer.data]), from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return `127.0.0.1:${socket.address().port}`
}

describe('nslookup', () => {
  it('gives an address with its time to live', async () => {
    const server = await nameServer({ type: 1, data: Buffer.from([192, 0, 34, 166]), ttl: 172_800 })
    expect(await networkTools({ servers: () => [server] }).resolve('example.com', 'A', never())).toEqual([
      { type: 'A', value: '192.0.34.166', ttlSeconds: 172_800 },
    ])
  })

  it('gives a mail exchanger with its preference', async () => {
    const server = await nameServer({ type: 15, data: Buffer.from([0, 10, 2, 0x6d, 0x78, 0xc0, 0x0c]), ttl: 60 })
    expect(await networkTools({ servers: () => [server] }).resolve('example.com', 'MX', never())).toEqual([
      { type: 'MX', value: 'mx.example.com', preference: 10, ttlSeconds: null },
    ])
  })

  it('gives nothing for a name that does not exist, and a fault when the server fails', async () => {
    const [empty, broken] = [await nameServer(3), await nameServer(2)]
    expect(await networkTools({ servers: () => [empty] }).resolve('example.com', 'TXT', never())).toEqual([])
    const failing = networkTools({ servers: () => [broken] }).resolve('example.com', 'NS', never())
    await expect(failing).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })
})

describe('connections', () => {
  it('are opened to a listening port and refused elsewhere', async () => {
    const server = createServer((socket) => socket.end('220 hello\r\n'))
    open.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { socket, address } = await networkTools().connect('127.0.0.1', port, never())
    expect(address).toBe('127.0.0.1')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toBe('220 hello\r\n')
    await new Promise((resolve) => server.close(resolve))
    open.length = 0
    await expect(networkTools().connect('127.0.0.1', port, never())).rejects.toBeInstanceOf(Fault)
  })

  it('end with the signal', async () => {
    await expect(networkTools().connect('127.0.0.1', 1, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})
