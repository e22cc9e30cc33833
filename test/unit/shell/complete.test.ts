import { describe, expect, it } from 'vitest'
import { completeLine } from '../../../src/shell/complete.ts'
import { EVERYONE, defineCommand } from '../../../src/shell/command.ts'
import type { Session } from '../../../src/shell/command.ts'
import { entryOf } from '../../support/shell-harness.ts'

const form = (usage: string, words: readonly string[]) => ({ usage, words, run: async () => undefined })
const commands = ['settz', 'sethostname', 'urlretroservice', 'help'].map((name) =>
  entryOf(
    defineCommand({
      name,
      summary: '',
      description: '',
      category: 'system',
      roles: EVERYONE,
      needsCommit: false,
      forms:
        name === 'urlretroservice' ? [form('', ['enable']), form('', ['disable']), form('', ['status', 'all'])] : [],
      ...(name === 'settz' ? { complete: () => ['Europe/Berlin', 'Etc/GMT'] } : {}),
    }),
  ),
)
const session = { commands } as unknown as Session

describe('completion', () => {
  it.each([
    ['se', ['settz', 'sethostname']],
    ['version; url', ['urlretroservice']],
    ['urlretroservice ', ['disable', 'enable', 'status']],
    ['urlretroservice e', ['enable']],
    ['urlretroservice status ', ['all']],
    ['urlretroservice enable ', []],
    ['settz eu', ['Europe/Berlin']],
    ['help set', ['settz', 'sethostname']],
    ['nothing x', []],
  ])('of %j', async (line, expected) => {
    expect(await completeLine(session, line)).toEqual(expected)
  })
})
