import { describe, expect, it } from 'vitest'
import { Fault } from '../../../../../src/core/errors.ts'
import type { Appliance } from '../../../../../src/services/appliance.ts'
import telnet from '../../../../../src/shell/commands/diagnose/telnet.ts'
import { entryOf, runInShell } from '../../../../support/shell-harness.ts'

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
