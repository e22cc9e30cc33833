import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { procNetwork } from '../../../../src/adapters/net/proc-net.ts'
import { recordedMachine } from '../../../support/machine.ts'

const recorded = procNetwork(recordedMachine.folders)

describe('the network of the machine', () => {
  it('has sockets with addresses, queues and states', async () => {
    const sockets = await recorded.sockets()
    expect(sockets.map((s) => [s.protocol, s.local, s.remote, s.state, s.receiveQueue, s.sendQueue])).toEqual([
      ['tcp4', '*.25', '*.*', 'LISTEN', 3, 0],
      ['tcp4', '192.0.2.10.25', '198.51.100.1.42252', 'ESTABLISHED', 0, 16],
      ['tcp6', '2001:db8::1.25', '*.*', 'LISTEN', 0, 0],
      ['udp4', '192.0.2.10.35388', '*.*', '', 0, 0],
    ])
  })

  it('has routes of both families, and the ARP cache', async () => {
    expect((await recorded.routes()).map((r) => [r.family, r.destination, r.gateway, r.flags])).toEqual([
      [4, 'default', '192.0.2.1', 'UG'],
      [4, '192.0.2.0/24', null, 'U'],
      [6, '2001:db8::/64', null, 'U'],
      [6, 'default', '2001:db8::1', 'UG'],
      [6, '::1', null, 'U'],
    ])
    expect((await recorded.arp()).map((a) => a.complete)).toEqual([true, false])
  })

  it('has no rows where the kernel has no table', async () => {
    const empty = procNetwork({ proc: join('/nowhere', 'net'), sys: '/nowhere', addresses: () => ({}) })
    expect([await empty.sockets(), await empty.routes(), await empty.interfaces()]).toEqual([[], [], []])
  })

  it('is that of this machine too', async () => {
    const names = (await procNetwork().interfaces()).map((i) => i.name)
    if (process.platform === 'linux') expect(names).toContain('lo')
  })
})
