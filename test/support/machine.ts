import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import type { DiagnosticsOptions } from '../../src/adapters/net/diagnostics.ts'
import { root } from './root.ts'

const folder = join(root, 'fixtures/machine')
const address = (family: 'IPv4' | 'IPv6', ip: string, bits: number) =>
  ({ address: ip, cidr: `${ip}/${bits}`, family, netmask: '', mac: '', internal: false }) as never

/** A machine whose programs and kernel tables are files: what commands show of it is the same everywhere. */
export const recordedMachine: DiagnosticsOptions = {
  programs: [join(folder, 'bin')],
  folders: {
    proc: join(folder, 'proc'),
    sys: join(folder, 'sys'),
    addresses: () => ({
      lo: [address('IPv4', '127.0.0.1', 8), address('IPv6', '::1', 128)],
      eth0: [address('IPv4', '192.0.2.10', 24), address('IPv6', '2001:db8::1', 64)],
    }),
  },
}

const bytes = (name: string): Buffer =>
  Buffer.concat([...name.split('.').map((l) => Buffer.from([l.length, ...Buffer.from(l)])), Buffer.from([0])])

/** A name server on loopback: `rcode` 0 answers `MX 10 mx.<name>` to every question, compressed as servers do. */
export const startNameServer = async (
  change: (reply: Buffer) => Buffer = (reply) => reply,
): Promise<{ readonly port: number; close(): Promise<void> }> => {
  const socket = createSocket('udp4')
  socket.on('message', (query, peer) => {
    const question = query.subarray(12)
    const pointer = Buffer.from([0xc0, 12])
    const data = Buffer.concat([Buffer.from([0, 10]), bytes('mx').subarray(0, -1), pointer])
    const record = Buffer.alloc(10)
    record.writeUInt16BE(15, 0)
    record.writeUInt16BE(1, 2)
    record.writeUInt32BE(3600, 4)
    record.writeUInt16BE(data.length, 8)
    const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
    socket.send(change(Buffer.concat([head, question, pointer, record, data])), peer.port, peer.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return { port: socket.address().port, close: () => new Promise((resolve) => socket.close(() => resolve())) }
}
