import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REGISTRY } from '../../src/shell/registry.ts'
import { sessionAppliance } from '../support/session-appliance.ts'
import { difference, replayTerminal } from '../support/session-file.ts'
import { readSession, carriedSessions } from '../support/session-sample.ts'
import { sshReplay } from '../support/session-ssh.ts'
import type { SshReplay } from '../support/session-ssh.ts'

/** What is typed stands behind the prompts, and only a run tells which lines are prompts. */
const typedIn = async (name: string) => {
  const { settings, lines } = readSession(name)
  const terminal = replayTerminal(lines)
  const gateway = await sessionAppliance(settings)
  try {
    await gateway.run(terminal)
    return { typed: terminal.typed, echoed: terminal.echoed() }
  } finally {
    await gateway.close()
  }
}

describe('recorded sessions over SSH', () => {
  let replay: SshReplay
  beforeAll(async () => {
    replay = await sshReplay()
  })
  afterAll(async () => await replay.close())

  it('there is one for every command', () => {
    const recorded = new Set([...carriedSessions].map((name) => name.split('/')[0]))
    expect(REGISTRY.map(({ name }) => name).filter((name) => !recorded.has(name))).toEqual([])
  })

  it.each([...carriedSessions])('%s', async (name) => {
    const { settings } = readSession(name)
    const { typed, echoed } = await typedIn(name)
    const gateway = await sessionAppliance(settings)
    try {
      expect(difference(echoed, await replay.show(gateway, typed))).toBeNull()
    } finally {
      await gateway.close()
    }
  })
})
