import { expect, test } from 'vitest'
import { exportLines, itemWord } from '../../../src/config/export.ts'
import { importDocument } from '../../../src/config/import.ts'
import { defaultDocument } from '../../../src/config/document.ts'
import type { ConfigDocument } from '../../../src/config/document.ts'
import { SECTIONS } from '../../../src/config/sections/index.ts'
import { parseXml } from '../../../src/config/xml.ts'
import { testSecrets } from '../../support/config-store.ts'

const secrets = testSecrets()
const defaults = defaultDocument(SECTIONS)
const saved = (document: ConfigDocument, passphrases: 'mask' | 'encrypt' = 'encrypt', header: string[] = []): string =>
  [...exportLines(SECTIONS, document, { passphrases, header, secrets }), ''].join('\n')
const findings = (text: string, box = secrets): readonly string[] => {
  const loaded = importDocument(SECTIONS, defaults, text, box)
  return loaded.ok ? [] : loaded.error.map((e) => `${e.line}: ${e.message}`)
}
const SYSTEM = '<system>\n<hostname>a.example</hostname>\n<timezone>Etc/GMT</timezone>\n</system>'

test('the file of the defaults loads, and its head has no other name than ours', () => {
  const file = saved(defaults, 'encrypt', ['Product: Lychgate Email Security Gateway', 'Serial Number: 42--17'])
  expect(findings(file)).toEqual([])
  expect(file).toContain('  Product: Lychgate Email Security Gateway\n  Serial Number: 42- -17\n')
  expect(file).not.toMatch(/cisco|asyncos|ironport/i)
  expect(file).toContain('    <listener>\n      <name>IncomingMail</name>\n')
})

test('some sections are enough, and a bare DOCTYPE is skipped', () => {
  const file = `<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE config SYSTEM "config.dtd">\n<config>${SYSTEM}</config>`
  const loaded = importDocument(SECTIONS, defaults, file, secrets)
  expect(loaded.ok && loaded.value.map((l) => [l.section.name, l.value])).toEqual([
    ['system', { hostname: 'a.example', timezone: 'Etc/GMT' }],
  ])
})

test.each([
  [
    'an internal subset',
    '<!DOCTYPE config [\n<!ENTITY x "y">\n]>\n<config/>',
    '1: a DOCTYPE with declarations is refused; remove it',
  ],
  ['an unknown entity', '<config>\n\n<system>&xxe;</system></config>', /^3: an & that/],
  ['a character reference to nothing', '<config>\n&#0;</config>', /^2: an & that/],
  ['a control character', '<config>\n\u0001</config>', '2: a character that XML does not allow'],
  [
    'a tag that is not closed',
    '<config>\n <system>\n</config>',
    /^3: <\/config> where <\/system> is needed \(<system> of line 2\)/,
  ],
  ['an end without an end', '<config>\n <system>', '2: <system> is not closed'],
  ['two roots', '<config/>\n<config/>', /^2: <config> after the end/],
  ['text before the root', '\nhello\n<config/>', '2: text outside of <config>'],
  ['another root', '<settings/>', '1: <settings> stands where <config> is needed'],
  ['nothing', '', '1: there is no <config> in it'],
  ['no section', '<config>\n</config>', '1: <config> holds no section'],
  [
    'another encoding',
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<config/>',
    /^1: the file must be in UTF-8, not in ISO-8859-1/,
  ],
  ['a processing instruction', '<config>\n<?php x ?></config>', /^2: a processing instruction/],
  [
    'an unknown section',
    `<config>\n${SYSTEM}\n<sytem/>\n</config>`,
    '6: <sytem> is not a section that this release knows',
  ],
  ['a section twice', `<config>\n${SYSTEM}\n${SYSTEM}\n</config>`, '6: <system> stands twice'],
  [
    'another version',
    '<config>\n<system version="2"/></config>',
    '2: <system> has version 2; this release loads version 1',
  ],
  [
    'an unknown field',
    `<config>\n${SYSTEM.replace('<timezone>', '<x/><timezone>')}</config>`,
    '4: <x> is not known in <system>',
  ],
  ['a missing field', '<config>\n<system>\n<hostname>a</hostname></system></config>', '2: <system> lacks <timezone>'],
  [
    'a wrong value',
    '<config>\n<system>\n<hostname>no name</hostname>\n<timezone/></system></config>',
    '3: system.hostname: not a host name',
  ],
  ['a tag for a parser to trip over', '<config>\n<__proto__/></config>', /^2: a < that does not begin a proper tag/],
  ['another reserved name', '<config>\n<constructor/></config>', /^2: a < that/],
])('%s is refused with its line', (_, text, expected) => {
  const found = findings(text)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(expected)
})

test('every finding is told, each with its line', () => {
  const file = saved(defaults)
    .replace('<port>2525</port>', '<port>99999</port>')
    .replace('<tls>preferred</tls>', '<tls>often</tls>')
    .replace('<max_recipients>1000</max_recipients>', '<max_recipients>0x10</max_recipients>')
    .replace('<max_retries>100</max_retries>', '<max_retries>-1</max_retries>')
  const lines = file.split('\n')
  const lineOf = (part: string): number => lines.findIndex((l) => l.includes(part)) + 1
  const found = findings(file)
  expect(found).toEqual([
    expect.stringMatching(`^${lineOf('99999')}: listeners.1.port: .*65535`),
    `${lineOf('often')}: <tls> must be one of: off, preferred, required`,
    `${lineOf('0x10')}: <max_recipients> must be a number`,
    expect.stringMatching(`^${lineOf('<max_retries>')}: delivery.max_retries: .*0`),
  ])
})

test('rules between sections are checked at load too, at the line of the section', () => {
  const file = saved(defaults).replace('<exception_list nil="true"/>', '<exception_list>nobody</exception_list>')
  const line = file.split('\n').findIndex((l) => l.includes('<sender_domain_reputation')) + 1
  expect(findings(file)).toEqual([`${line}: Address list 'nobody' does not exist. Create it with addresslistconfig.`])
})

test('text keeps its white space, its line ends and what looks like a number or markup', () => {
  const list = (description: string): ConfigDocument => ({
    ...defaults,
    address_lists: [{ name: ' 007 ', description, type: 'all', entries: ['a@example.com'] }],
  })
  for (const text of [
    ' true ',
    '1e3',
    'a\r\nb\rc\n',
    '\t',
    ']]>',
    '<b>&amp;</b>',
    '\u0000\u001b[31m',
    '\ud800',
    'ü\u202e\u009b',
    '"\\',
  ]) {
    const loaded = importDocument(SECTIONS, defaults, saved(list(text)), secrets)
    expect(loaded.ok && loaded.value.find((l) => l.section.name === 'address_lists')?.value).toEqual(
      list(text)['address_lists'],
    )
  }
})

test('what could disturb a terminal is written as a character reference', () => {
  const file = saved({
    ...defaults,
    address_lists: [{ name: 'x', description: '\u009b31m\u202e', type: 'all', entries: ['a@b'] }],
  })
  expect(file).toContain('<description>&#155;31m&#8238;</description>')
})

test('a CDATA section and comments inside text are read as XML says', () => {
  const root = parseXml('<config><a>1<!-- no --><![CDATA[<&x;>]]>&#x41;\r\n</a></config>')
  expect(root.ok && root.value.children[0]).toMatchObject({ name: 'a', line: 1, text: '1<&x;>A\n' })
})

const withSecret: ConfigDocument = {
  ...defaults,
  intelligence: { ...(defaults['intelligence'] as object), deviceSecret: 'correct horse' },
}

test('a masked file says that it cannot be loaded, and is not', () => {
  const file = saved(withSecret, 'mask')
  expect(file).toContain('Passphrases: masked: a file with masked passphrases cannot be loaded with loadconfig')
  expect(file).not.toContain('correct horse')
  const line = file.split('\n').findIndex((l) => l.includes('<device_secret')) + 1
  expect(findings(file)[0]).toMatch(
    new RegExp(`^${line}: <device_secret> is masked: a file with masked passphrases cannot be loaded`),
  )
})

test('an encrypted file loads with its key, and names the other key without it', () => {
  const file = saved(withSecret)
  expect(file).not.toContain('correct horse')
  const loaded = importDocument(SECTIONS, defaults, file, secrets)
  expect(loaded.ok && loaded.value.find((l) => l.section.name === 'intelligence')?.value).toMatchObject({
    deviceSecret: 'correct horse',
  })
  expect(findings(file, testSecrets(2))[0]).toMatch(
    /<device_secret> cannot be decrypted. It was encrypted with the key [0-9a-f]{8};/,
  )
  expect(findings(file.replace(/(secret="encrypted">.{40})./, '$1x'))[0]).toMatch(/damaged/)
})

test('a passphrase may be written in plain where a masked one stood', () => {
  const file = saved(withSecret, 'mask').replace(' secret="masked">*****<', '>typed by hand<')
  const loaded = importDocument(SECTIONS, defaults, file, secrets)
  expect(loaded.ok && loaded.value.find((l) => l.section.name === 'intelligence')?.value).toMatchObject({
    deviceSecret: 'typed by hand',
  })
})

test('a file of an earlier release loads, and what it did not know is as it was then', () => {
  const old = `<config><dns version="1"><servers/><alternates/><reverse_timeout_seconds>20</reverse_timeout_seconds>
    <min_ttl_seconds>600</min_ttl_seconds></dns><destinations version="1"><default><concurrency>500</concurrency>
    <messages_per_connection>50</messages_per_connection><recipients nil="true"/><recipient_minutes>60</recipient_minutes>
    <tls>required</tls><bounce_profile nil="true"/></default><domains><domain><domain>far.example</domain>
    <concurrency>5</concurrency><messages_per_connection nil="true"/><recipients nil="true"/>
    <recipient_minutes>60</recipient_minutes><tls nil="true"/><bounce_profile nil="true"/></domain></domains>
    </destinations></config>`
  const loaded = importDocument(SECTIONS, defaults, old, secrets)
  expect(loaded.ok ? loaded.value.map((l) => l.value) : loaded.error).toMatchObject([
    { minTtlSeconds: 600, validating: false },
    {
      default: { tls: 'required', dane: 'none', mtaSts: false, bounceVerification: null },
      domains: [{ domain: 'far.example', concurrency: 5, dane: null, mtaSts: null, bounceVerification: null }],
    },
  ])
})

test('a file of a later release, or an earlier one that lacks what its own had, does not load', () => {
  expect(findings('<config>\n<dns version="99"/></config>')).toEqual([
    expect.stringContaining('2: <dns> has version 99; this release loads version'),
  ])
  expect(findings('<config>\n<destinations version="1"><default/><domains/></destinations></config>')).not.toEqual([])
})

test('the word for an item is the singular of its list', () => {
  expect(
    ['listeners', 'policies', 'entries', 'classes', 'address_lists', 'addresses', 'domain_map'].map(itemWord),
  ).toEqual(['listener', 'policy', 'entry', 'class', 'address_list', 'address', 'item'])
})

test('a hostile file costs no more than time in proportion to its size', () => {
  const started = performance.now()
  for (const text of [
    '<'.repeat(200_000),
    '<config>'.repeat(100_000),
    `<config>${'&'.repeat(200_000)}`,
    `<config a="${' b="'.repeat(100_000)}`,
    `<config ${'a '.repeat(100_000)}>`,
    `<config>${'<!--'.repeat(100_000)}`,
  ])
    expect(findings(text)).toHaveLength(1)
  expect(performance.now() - started).toBeLessThan(5000)
})

test('a file with very many elements is refused at once, and one with very many faults tells some of them', () => {
  const file = (n: number): string => `<config>\n<aliases version="1">\n${'<x></x>\n'.repeat(n)}</aliases></config>`
  expect(findings(file(200_000))).toEqual([
    expect.stringMatching(/^\d+: the file has more than 60000 elements; load it in parts$/),
  ])
  expect(findings(file(50_000))).toHaveLength(1000)
  expect(findings(`<config>${' '.repeat(4 * 1024 * 1024)}</config>`)).toEqual([
    '1: the file is larger than 4 million characters',
  ])
})
