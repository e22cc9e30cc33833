import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addressLists } from '../../../../src/config/sections/address-lists.ts'
import { intelligence } from '../../../../src/config/sections/intelligence.ts'
import { listeners } from '../../../../src/config/sections/listeners.ts'
import { sdr } from '../../../../src/config/sections/sdr.ts'
import { system } from '../../../../src/config/sections/system.ts'
import { urlLists } from '../../../../src/config/sections/url-lists.ts'
import { openConfigShell } from '../../../support/config-shell.ts'
import type { ConfigShell } from '../../../support/config-shell.ts'

let shell: ConfigShell
beforeEach(async () => {
  shell = await openConfigShell()
})
afterEach(async () => await shell.close())

const commitAs = async (user: string, hostname: string): Promise<void> => {
  const draft = shell.config.store.draft()
  draft.set(system, { ...draft.get(system), hostname })
  await shell.config.store.commit(draft, { user, comment: '', keepForRollback: false })
}

test('commits of two operators to one section are told apart, and both sides are shown', async () => {
  const script = [
    'sethostname',
    'bob.example.com',
    'urllistconfig new bypass example.com',
    'commit "mine" Y',
    'showchanges',
    'clearchanges system',
    'commit "rest" Y',
  ]
  let at = -1
  let alice: Promise<void> = Promise.resolve()
  const { text } = await shell.run(
    (prompt) => {
      if (prompt === '[mail.example.com]> ') alice = commitAs('alice', 'alice.example.com')
      return script[++at] ?? null
    },
    { user: 'bob' },
  )
  await alice
  expect(text).toContain(
    'Not committed: alice committed system at Tue Mar 29 23:43:48 2022 GMT (revision 2), after you began to change it.',
  )
  expect(text).toContain('  hostname: mail.example.com -> bob.example.com\n')
  expect(text).toContain(
    'Conflict: alice committed system at Tue Mar 29 23:43:48 2022 GMT (revision 2):\nsystem\n  hostname: mail.example.com -> alice.example.com\n',
  )
  expect(shell.running(system).hostname).toBe('alice.example.com')
  expect(shell.running(urlLists)).toEqual([{ name: 'bypass', urls: ['example.com'] }])
})

test('a command sees what somebody else committed before it began', async () => {
  const script = ['sethostname', '^C', 'sethostname', 'third.example.com', 'commit "x" N']
  let at = -1
  let other: Promise<void> = Promise.resolve()
  const { text } = await shell.run((prompt) => {
    if (prompt === '[mail.example.com]> ') other = commitAs('alice', 'second.example.com')
    return script[++at] ?? null
  })
  await other
  expect(text).toContain('[second.example.com]> third.example.com')
  expect(shell.running(system).hostname).toBe('third.example.com')
})

test('a script may end with commit although nothing is staged', async () => {
  const { status, text } = await shell.run(['commit "x" Y'], { batch: {} })
  expect([status, text]).toEqual([0, expect.stringContaining('There is no data to commit.')])
})

test('showconfig asks a script nothing and masks', async () => {
  const draft = shell.config.store.draft()
  draft.set(intelligence, { ...draft.get(intelligence), deviceSecret: 'correct horse' })
  await shell.config.store.commit(draft, { user: 'admin', comment: '', keepForRollback: true })
  const { status, text } = await shell.run(['showconfig', 'showconfig encrypt', 'rollbackconfig 2', 'showchanges'], {
    batch: {},
  })
  expect(status).toBe(0)
  expect(text).toContain('<device_secret secret="masked">*****</device_secret>')
  expect(text).toContain('secret="encrypted">$lychgate1$')
  expect(text).toContain('device_secret: ***** -> (not set)')
  expect(text).not.toContain('correct horse')
})

test('a saved file loads again and changes nothing; a masked one is refused', async () => {
  const draft = shell.config.store.draft()
  draft.set(intelligence, { ...draft.get(intelligence), deviceSecret: 'correct horse' })
  await shell.config.store.commit(draft, { user: 'admin', comment: '', keepForRollback: true })
  const { text } = await shell.run(
    [
      'saveconfig n 2 good.xml',
      'loadconfig good.xml',
      'showchanges',
      'saveconfig y 2 masked.xml',
      'loadconfig masked.xml',
    ],
    { batch: { keepGoing: true } },
  )
  expect(text).toContain('Values have been loaded.')
  expect(text).toContain('There are no changes.')
  expect(text).toMatch(/Line \d+: <device_secret> is masked: .*cannot be loaded/)
  expect(readdirSync(join(shell.home, 'configuration')).sort()).toEqual(['good.xml', 'masked.xml'])
  expect(readFileSync(join(shell.home, 'configuration', 'good.xml'), 'utf8')).not.toContain('correct horse')
})

test('a file with one error stages nothing, and what was staged stays', async () => {
  mkdirSync(join(shell.home, 'configuration'))
  const file =
    '<config>\n<url_lists><url_list><name>a</name><urls><url>b.example</url></urls></url_list></url_lists>\n<system/>\n</config>'
  writeFileSync(join(shell.home, 'configuration', 'bad.xml'), file)
  const { text, status } = await shell.run(['sethostname kept.example', 'loadconfig bad.xml', 'showchanges'], {
    batch: { keepGoing: true },
  })
  expect(status).toBe(1)
  expect(text).toContain('Line 3: <system> lacks <hostname>\nLine 3: <system> lacks <timezone>\nNothing was loaded')
  expect(text).toContain('system\n  hostname: mail.example.com -> kept.example\n')
  expect(text).not.toContain('url_lists\n')
})

test('only the user admin may reset, and it acts with the commit', async () => {
  const refused = await shell.run(['resetconfig'], { user: 'alice' })
  expect(refused.text).toContain('Only the user admin may reset the configuration.')
  await shell.run(['resetconfig', 'y'])
  expect(shell.running(system).hostname).toBe('mail.example.com')
  await shell.run(['resetconfig', 'y', 'commit "reset" N'])
  expect(shell.running(system).hostname).toBe('lychgate.example.com')
})

test('who may only read cannot commit, roll back or load', async () => {
  const { text } = await shell.run(
    ['commit "x" Y', 'rollbackconfig 1', 'loadconfig a.xml', 'saveconfig y 1', 'commitdetail'],
    { role: 'readonly' },
  )
  for (const name of ['commit', 'rollbackconfig', 'loadconfig', 'saveconfig'])
    expect(text).toContain(`Unknown command or missing feature key: ${name}\n`)
  expect(text).toContain('Commit at Tue Mar 29 23:43:48 2022 GMT with comments: "Initial configuration".')
})

test('rollback brings back an earlier state, and the consumers follow', async () => {
  const ports: (number | undefined)[] = []
  shell.config.store.consume({ section: listeners, apply: async (next) => void ports.push(next[0]?.port) })
  const draft = shell.config.store.draft()
  draft.set(
    listeners,
    draft.get(listeners).map((l) => ({ ...l, port: 2626 })),
  )
  await shell.config.store.commit(draft, { user: 'admin', comment: 'port', keepForRollback: true })
  const { text } = await shell.run(['rollbackconfig', '2', 'y', 'y', 'commitdetail'])
  expect(text).toContain('Committed the changes successfully')
  expect(ports).toEqual([2626, 2525])
  expect(text).toContain('with comments: "Rolled back to Tue Mar 29 23:43:48 2022".')
})

test('rollbackconfig offers the last ten saved configurations and no others', async () => {
  for (let i = 1; i <= 12; i++)
    await shell.run([`sethostname h${i}.example`, `commit "change ${i}" ${i === 11 ? 'N' : 'Y'}`])
  const { text } = await shell.run(['rollbackconfig', '^C'])
  const rows = text.split('\n').filter((line) => /^ ?\d+\. /.test(line))
  expect(rows.map((r) => r.slice(r.lastIndexOf('change')))).toEqual(
    [12, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((n) => `change ${n}`),
  )
})

test('a list that another section uses cannot be committed away', async () => {
  const draft = shell.config.store.draft()
  draft.set(addressLists, [{ name: 'exceptions', description: '', type: 'domains', entries: ['@example.org'] }])
  draft.set(sdr, { ...draft.get(sdr), exceptionList: 'exceptions' })
  await shell.config.store.commit(draft, { user: 'admin', comment: '', keepForRollback: false })
  const { text } = await shell.run(['addresslistconfig delete exceptions', 'commit "gone" Y', 'showchanges'])
  expect(text).toContain("Address list 'exceptions' does not exist.")
  expect(text).toContain('entries: @example.org -> (none)')
  expect(shell.running(addressLists)).toHaveLength(1)
})

test('a URL list is imported from a file whose first line is its name', async () => {
  mkdirSync(join(shell.home, 'configuration'))
  writeFileSync(join(shell.home, 'configuration', 'urls.txt'), 'bypass\nexample.com\n*.example.org\n')
  const { text } = await shell.run([
    'urllistconfig',
    'new',
    'y',
    'urls.txt',
    '',
    'commit "x" Y',
    'urllistconfig import urls.txt',
  ])
  expect(shell.running(urlLists)).toEqual([{ name: 'bypass', urls: ['example.com', '*.example.org'] }])
  expect(text).toContain("The URL list 'bypass' exists already.")
})

test('a wrong line in pasted URLs is told and the list asked for again, but ends a script', async () => {
  const paste = ['urllistconfig', 'new', '', 'bypass', 'no url.', '.']
  const { text } = await shell.run([...paste, 'example.com', '.', '', 'showchanges'])
  expect(text).toContain("'url.' cannot stand in a URL list.")
  expect(text).toContain('urls: (none) -> example.com')
  expect((await shell.run(paste, { batch: {} })).status).toBe(1)
})

test('words that a form does not have are refused with its usage', async () => {
  const lines = [
    'sethostname a b',
    'saveconfig y',
    'urllistconfig new x',
    'addresslistconfig new x --adrs=a@b',
    'rollbackconfig 1 now',
    'clearchanges system',
  ]
  for (const line of lines) {
    const { status, text } = await shell.run([line], { batch: {} })
    expect([line, status]).toEqual([line, 1])
    if (!line.startsWith('clear')) expect(text).toContain('Usage: ')
  }
})
