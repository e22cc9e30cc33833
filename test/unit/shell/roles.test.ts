import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROLES } from '../../../src/config/sections/users.ts'
import type { Role } from '../../../src/config/sections/users.ts'
import type { ConfigStore } from '../../../src/config/store.ts'
import { REGISTRY } from '../../../src/shell/registry.ts'
import { withinRights } from '../../../src/shell/rights.ts'
import { commandsOf } from '../../../src/shell/run.ts'
import { maskSecrets } from '../../../src/shell/secrets.ts'
import { filesUnder } from '../../architecture/imports.ts'
import { root } from '../../support/root.ts'
import { runInShell } from '../../support/shell-harness.ts'

const names = (role: Role): readonly string[] => commandsOf(REGISTRY, role).map((c) => c.name)

/** What a role may run beyond everybody's own commands; a new command must be decided here when it is for few or for all. */
const EVERYBODY = ['help', 'passwd', 'quit', 'whoami']
const ADMINISTRATORS_ALONE = ['adminaccessconfig', 'resetconfig', 'sshconfig', 'userconfig']
const ACTS_AT_ONCE = ['commit', 'loadconfig', 'rollbackconfig', 'telnet', 'smtpping', 'quarantine', 'rollovernow']

const GUESTS = ['help', 'passwd', 'quit', 'status', 'version', 'websecuritydiagnostics', 'whoami']
const TABLE = {
  guest: GUESTS,
  helpdesk: GUESTS,
  technician: `clearchanges commitdetail displayalerts findevent grep help hostrate hoststatus last passwd quit rate
    resume resumedel resumelistener saveconfig showchanges showconfig status suspend suspenddel suspendlistener tail
    tophosts topin version websecuritydiagnostics who whoami workqueue`.split(/\s+/),
} as const
/** What looks into messages, changes the queue, reaches out, writes files or acts at once. */
const NOT_READONLY = `adminaccessconfig archivemessage bouncerecipients certconfig commit deleterecipients delivernow
  diagnostic dig dnsflush intelconfig loadconfig netstat nslookup oldmessage ping quarantine redirectrecipients
  remediation remediationconfig removemessage resetconfig resetcounters resume resumedel resumelistener rollbackconfig
  rollovernow saveconfig showmessage showrecipients smtpping sshconfig suspend suspenddel suspendlistener telnet
  tlsverify traceroute userconfig webcacheflush workqueue`.split(/\s+/)

describe('roles', () => {
  it.each(['guest', 'helpdesk', 'technician'] as const)('the whole table of %s', (role) =>
    expect(names(role)).toEqual(TABLE[role]),
  )

  it('the whole table of what read-only operators lack', () =>
    expect(names('administrator').filter((n) => !names('readonly').includes(n))).toEqual(NOT_READONLY))

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

describe('files', () => {
  it.each(ROLES)('%s', async (role) => {
    const home = mkdtempSync(join(tmpdir(), 'lg-files-'))
    try {
      const { terminal } = await runInShell({
        answers: ['filters export f.txt', 'listenerconfig edit IncomingMail hostaccess export h.txt'],
        commands: REGISTRY,
        role,
        parts: { home },
        batch: { keepGoing: true },
      })
      const written = existsSync(join(home, 'configuration')) ? readdirSync(join(home, 'configuration')) : []
      const may = role === 'administrator' || role === 'operator'
      expect(written.length > 0).toBe(may)
      if (role === 'readonly') expect(terminal.transcript()).toContain('Your role may not write files.')
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })

  it.each(['../f.txt', '/etc/passwd', '.f', 'a/b', '-f'])(
    'the name %s does not lead out of the directory of exports',
    async (name) => {
      const { terminal, status } = await runInShell({
        answers: [`filters export "${name}"`],
        commands: REGISTRY,
        parts: { home: '/nowhere' },
        batch: {},
      })
      expect(terminal.transcript()).toMatch(/The file name must have only letters|There is no option/)
      expect(status).toBe(1)
    },
  )

  it('are written by one function only, which asks for the role', () => {
    const writers = filesUnder('src/shell', '.ts').filter((file) =>
      /writeConfigurationFile/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(writers).toEqual(['src/shell/files.ts'])
  })
})

describe('secrets on a command line', () => {
  const SECRET = /pass(?:word|phrase)|secret|token|key|credential/i

  it('are given by options that cli_logs and the history mask, never by a plain word', async () => {
    const commands = await Promise.all(REGISTRY.map((entry) => entry.load()))
    const usages = commands.flatMap(({ forms = [] }) => forms.map(({ usage }) => usage))
    const options = usages
      .flatMap((usage) => usage.match(/--[a-z][\w-]*/g) ?? [])
      .filter((option) => SECRET.test(option))
    for (const option of options) {
      expect(maskSecrets(`command ${option}=hunter2 end`)).toBe(`command ${option}=***** end`)
      expect(maskSecrets(`command ${option} "hunter 2" end`)).toBe(`command ${option} ***** end`)
    }
    const words = usages.filter((usage) => /(?<![=\w-])(?:PASSPHRASE|PASSWORD|SECRET|TOKEN)(?!\w)/.test(usage))
    expect(words).toEqual([])
  })

  it.each([
    ['intelconfig sources add x https://joe:hunter2@feeds.example', 'https://joe:*****@feeds.example'],
    ['x --passphrase=hunter2; y', '--passphrase=*****; y'],
    ["x --api-key 'hunter 2'", '--api-key *****'],
    ['x --token "hunter2"', '--token *****'],
  ])('%s', async (line, masked) => {
    const { events } = await runInShell({ answers: [line], commands: REGISTRY })
    const entered = events.flatMap((e) => (e.type === 'cli.entered' ? [e.entered] : []))
    expect(entered[0]).toContain(masked)
    expect(JSON.stringify(events)).not.toContain('hunter')
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
