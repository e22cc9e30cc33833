import { describe, expect, it } from 'vitest'
import { urlRetrospection } from '../../../../../src/config/sections/url-retrospection.ts'
import type { RetroService } from '../../../../../src/retro/ports.ts'
import command from '../../../../../src/shell/commands/configure/urlretroservice.ts'
import { entryOf, memoryDraft, runInShell } from '../../../../support/shell-harness.ts'

const enabled = { ...urlRetrospection.defaults, enabled: true }

const inShell = async (answers: readonly string[], error: string | null = null) => {
  const running = memoryDraft()
  running.set(urlRetrospection, enabled)
  const draft = memoryDraft()
  draft.set(urlRetrospection, enabled)
  draft.clear()
  const retro: Partial<RetroService> = {
    status: () => ({
      state: 'Connected',
      detail: 'x',
      lastPollAt: new Date('2022-03-30T00:20:10Z'),
      watched: 4,
      pending: 1,
    }),
    poll: async () => ({ retrospections: 2, acted: 1, error }),
  }
  const { terminal, status } = await runInShell({
    answers,
    batch: {},
    commands: [entryOf(command)],
    parts: { retro: retro as RetroService, config: { running, draft: () => draft } as never },
  })
  return { shown: terminal.transcript(), status, draft }
}

describe('urlretroservice', () => {
  it('stages disable and enable, and stages nothing when it is so already', async () => {
    expect((await inShell(['urlretroservice enable'])).draft.dirty).toBe(false)
    const { draft, shown } = await inShell(['urlretroservice disable'])
    expect(draft.get(urlRetrospection)).toEqual({ ...enabled, enabled: false })
    expect(shown).toContain('URL Retro Service is disabled.')
  })

  it('shows how the connection stands', async () => {
    const { shown } = await inShell(['urlretroservice status'])
    expect(shown).toContain('URL Retrospective service status - Connected\n')
    expect(shown).toContain('URLs watched: 4\nURLs waiting to be submitted: 1\n')
  })

  it('polls, says what came of it, and fails when the service was not reached', async () => {
    expect(await inShell(['urlretroservice poll'])).toMatchObject({ status: 0 })
    const { shown, status } = await inShell(['urlretroservice poll'], 'connection refused.')
    expect(shown).toContain('URL verdict updates: 2\nMessages handed to remediation: 1\n')
    expect(shown).toContain('connection refused.')
    expect(status).toBe(1)
  })
})
