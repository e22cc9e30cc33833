import { describe, expect, it } from 'vitest'
import { difference, replayTerminal } from './session-file.ts'
import { sessionAppliance } from './session-appliance.ts'
import { readSession, carriedSessions, sessionFiles } from './session-sample.ts'
import { overSocket } from './session-socket.ts'

/** Every `parts`th session from the `part`th on: the runner spreads files over its workers, not tests. */
export const recordedSessions = (part: number, parts: number): void => {
  describe('recorded sessions', () => {
    it.each(sessionFiles.filter((_name, i) => i % parts === part))('%s', replay)
  })
}

const replay = async (name: string): Promise<void> => {
  const { settings, lines } = readSession(name)
  const terminal = replayTerminal(lines)
  const gateway = await sessionAppliance(settings)
  try {
    // A session that leaves its recording throws in the middle; where it did says more than the throw.
    const error = await gateway.run(terminal).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(difference(lines, terminal.transcript())).toBeNull()
    expect(error).toBeNull()
  } finally {
    await gateway.close()
  }
  if (!carriedSessions.has(name)) return
  const again = await sessionAppliance(settings)
  try {
    expect(difference(terminal.echoed(), await overSocket(again, terminal.typed))).toBeNull()
  } finally {
    await again.close()
  }
}
