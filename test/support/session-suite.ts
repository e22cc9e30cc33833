import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './root.ts'
import { difference, parseSessionFile, replayTerminal } from './session-file.ts'
import { sessionAppliance } from './session-appliance.ts'
import { overSocket } from './session-socket.ts'

const folder = join(root, 'fixtures/sessions')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.session'))
  .sort()

/** One session of each command runs through the control socket as well. */
const sample = new Set(files.filter((name, i) => dirname(files[i - 1] ?? '') !== dirname(name)))

/** Every `parts`th session from the `part`th on: the runner spreads files over its workers, not tests. */
export const recordedSessions = (part: number, parts: number): void => {
  describe('recorded sessions', () => {
    it.each(files.filter((_name, i) => i % parts === part))('%s', replay)
  })
}

const replay = async (name: string): Promise<void> => {
  const { settings, lines } = parseSessionFile(readFileSync(join(folder, name), 'utf8'))
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
  if (
    !sample.has(name) ||
    settings['socket'] === 'no' ||
    terminal.typed.includes('^C') ||
    lines.some((line) => line.endsWith('^D'))
  )
    return
  const again = await sessionAppliance(settings)
  try {
    expect(difference(lines, await overSocket(again, terminal.typed))).toBeNull()
  } finally {
    await again.close()
  }
}
