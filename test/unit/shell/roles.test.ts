import { describe, expect, it } from 'vitest'
import { ROLES } from '../../../src/config/sections/users.ts'
import type { Role } from '../../../src/config/sections/users.ts'
import type { ConfigStore } from '../../../src/config/store.ts'
import { REGISTRY } from '../../../src/shell/registry.ts'
import { withinRights } from '../../../src/shell/rights.ts'
import { commandsOf } from '../../../src/shell/run.ts'
import { runInShell } from '../../support/shell-harness.ts'

const names = (role: Role): readonly string[] => commandsOf(REGISTRY, role).map((c) => c.name)

/** What a role may run beyond everybody's own commands; a new command must be decided here when it is for few or for all. */
const EVERYBODY = ['help', 'passwd', 'quit', 'whoami']
const ADMINISTRATORS_ALONE = ['adminaccessconfig', 'resetconfig', 'sshconfig', 'userconfig']
const ACTS_AT_ONCE = ['commit', 'loadconfig', 'rollbackconfig', 'telnet', 'smtpping', 'quarantine', 'rollovernow']

describe('roles', () => {
  it('administrators run everything', () => expect(names('administrator')).toEqual(REGISTRY.map((c) => c.name)))

  it('operators run everything but accounts and administrative access', () =>
    expect(names('administrator').filter((n) => !names('operator').includes(n))).toEqual(ADMINISTRATORS_ALONE))

  it.each(ROLES)('%s has the commands that everybody has', (role) =>
    expect(EVERYBODY.filter((n) => !names(role).includes(n))).toEqual([]),
  )

  it('read-only operators, technicians, guests and help desk run nothing that acts at once', () => {
    for (const role of ['readonly', 'technician', 'guest', 'helpdesk'] as const)
      expect({ role, found: ACTS_AT_ONCE.filter((n) => names(role).includes(n)) }).toEqual({ role, found: [] })
  })

  it('only operators and administrators stage, and read-only operators', () => {
    for (const role of ['technician', 'guest', 'helpdesk'] as const)
      expect(names(role).filter((n) => n.endsWith('config') && !/^(show|save)/.test(n))).toEqual([])
    expect(names('readonly')).toContain('sethostname')
  })

  it.each(ROLES)('what %s lacks does not exist for it', async (role) => {
    const lacking = REGISTRY.map((c) => c.name).filter((n) => !names(role).includes(n))
    const { terminal } = await runInShell({ answers: lacking, commands: REGISTRY, role })
    for (const name of lacking)
      expect(terminal.transcript()).toContain(`> ${name}\n\nUnknown command or missing feature key: ${name}\n`)
  })
})

describe('committing', () => {
  const committed: string[] = []
  const config = {
    commit: async (_: unknown, { user }: { user: string }) => {
      committed.push(user)
    },
    get revision() {
      return 7
    },
  } as unknown as ConfigStore
  const commit = async (role: Role, path: string) =>
    await withinRights(config, role)
      .commit({ changes: () => [{ path, before: 1, after: 2 }] } as never, {
        user: role,
        comment: '',
        keepForRollback: false,
      })
      .then(
        () => 'done',
        (error: Error) => error.message,
      )

  it.each([
    ['administrator', 'users.anna.role', /^done$/],
    ['operator', 'system.hostname', /^done$/],
    ['operator', 'users.anna.role', /Only administrators may change users/],
    ['operator', 'ssh.enabled', /Only administrators may change ssh/],
    ['operator', 'admin_access.addresses', /Only administrators may change admin_access/],
    ['readonly', 'system.hostname', /not commit/],
    ['guest', 'system.hostname', /not commit/],
  ] as const)('%s, %s', async (role, path, outcome) => expect(await commit(role, path)).toMatch(outcome))

  it('leaves the rest of the store as it is', () => expect(withinRights(config, 'readonly').revision).toBe(7))
})
