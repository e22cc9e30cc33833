import { describe, expect, it } from 'vitest'
import { ssh } from '../../../../../src/config/sections/ssh.ts'
import { REGISTRY } from '../../../../../src/shell/registry.ts'
import { runInShell } from '../../../../support/shell-harness.ts'

describe('sshconfig, ACCESS CONTROL', () => {
  const set = async (origin: string, which: string, blocks: string) =>
    await runInShell({
      answers: ['sshconfig', 'access control', which, blocks, '', ''],
      commands: REGISTRY,
      origin,
    })

  it.each([
    ['allowed', '10.0.0.0/8'],
    ['blocked', '192.0.2.0/24'],
    ['blocked', '0.0.0.0/0'],
  ])('does not let an operator lock himself out: %s %s', async (which, blocks) => {
    const { terminal, draft } = await set('192.0.2.7', which, blocks)
    expect(terminal.transcript()).toContain(
      'The list would refuse 192.0.2.7, from where you work; you would lock yourself out.',
    )
    expect(draft.get(ssh)).toMatchObject({ allowed: [], blocked: [] })
  })

  it.each([
    ['192.0.2.7', 'allowed', '192.0.2.0/24'],
    ['192.0.2.7', 'blocked', '10.0.0.0/8'],
    ['local', 'allowed', '10.0.0.0/8'],
  ])('stages what leaves him in: from %s, %s %s', async (origin, which, blocks) => {
    const { draft } = await set(origin, which, blocks)
    expect(draft.get(ssh)).toMatchObject({ [which]: [blocks] })
  })
})
