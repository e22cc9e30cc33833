import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { listeners } from '../../../src/config/sections/listeners.ts'
import { smtpRoutes } from '../../../src/config/sections/smtp-routes.ts'
import { system } from '../../../src/config/sections/system.ts'
import { UserError } from '../../../src/core/errors.ts'
import type { TimeZones } from '../../../src/core/timezone.ts'
import type { NetworkTools } from '../../../src/services/network.ts'
import { REGISTRY } from '../../../src/shell/registry.ts'
import { longAge, shortTtl, upTime } from '../../../src/shell/format/duration.ts'
import { maskSecrets } from '../../../src/shell/secrets.ts'
import { runInShell } from '../../support/shell-harness.ts'

const shell = (answers: readonly string[], parts = {}) => runInShell({ commands: REGISTRY, answers, parts })

describe('smtproutes', () => {
  it('keeps a changed route in its place and removes one', async () => {
    const answers = [
      'smtproutes new Example.com mail.example.com:2525 [10.1.1.1]:25',
      'smtproutes new ALL USEDNS',
      'smtproutes new .example.net mailboxes',
      'smtproutes edit example.com /dev/null',
      'smtproutes delete all',
    ]
    const { draft } = await shell(answers)
    expect(draft.get(smtpRoutes)).toEqual([
      { domain: 'example.com', hosts: ['/dev/null'] },
      { domain: '.example.net', hosts: ['MAILBOXES'] },
    ])
  })

  it.each([
    ['smtproutes new exa_mple..com h', 'a domain, a partial domain or ALL'],
    ['smtproutes new example.com a:b:c', 'The value must be a host'],
    ['smtproutes new example.com host:0', 'The value must be a host'],
    ['smtproutes new example.com USEDNS other', 'USEDNS stands by itself.'],
    ['smtproutes delete nowhere.example', 'There is no route for nowhere.example.'],
    ['smtproutes fly', "cannot read 'fly'"],
  ])('%s says what is wrong', async (line, message) => {
    const { terminal, draft } = await shell([line])
    expect(terminal.transcript()).toContain(message)
    expect(draft.dirty).toBe(false)
  })
})

describe('listenerconfig', () => {
  it('works as a script: new, access tables in any case, delete', async () => {
    const answers = [
      'listenerconfig new OutboundMail private 127.0.0.1 2526 --interface="Data 2"',
      'listenerconfig edit OutboundMail HOSTACCESS EDIT SENDERGROUP RELAYLIST NEW 10.1.1.0/24,10.2.2.2',
      'listenerconfig edit IncomingMail RCPTACCESS new .example.org',
      'listenerconfig edit IncomingMail rcptaccess delete example.com',
      'listenerconfig edit IncomingMail RCPTACCESS PRINT',
    ]
    const { draft, terminal } = await shell(answers)
    expect(draft.get(listeners).map((l) => [l.name, l.interfaceName, l.port])).toEqual([
      ['IncomingMail', 'Data 1', 2525],
      ['OutboundMail', 'Data 2', 2526],
    ])
    expect(draft.get(listeners)[0]?.recipientAccess.map((e) => e.address)).toEqual(['.example.org'])
    expect(draft.get(listeners)[1]?.hostAccess.groups[0]?.hosts).toEqual(['10.1.1.0/24', '10.2.2.2'])
    expect(terminal.transcript()).toContain(
      '.example.org                   ACCEPT\nALL                            REJECT\n',
    )
  })

  it.each([
    ['listenerconfig new X public 127.0.0.1 2525', "The listener 'IncomingMail' uses 127.0.0.1 port 2525 already."],
    ['listenerconfig new IncomingMail public 127.0.0.1 2526', "There is a listener 'IncomingMail' already."],
    ['listenerconfig new X public 300.0.0.1 2526', 'The address must be 4 numbers'],
    ['listenerconfig new X both 127.0.0.1 2526', 'The value must be one of: public, private.'],
    ['listenerconfig delete incomingmail', "There is no listener 'incomingmail'."],
    [
      'listenerconfig edit IncomingMail hostaccess edit sendergroup BLOCKED_LIST new 10.0.0.0/99',
      'A host must be one of',
    ],
    ['listenerconfig edit IncomingMail rcptaccess delete nope.example', "has no entry 'nope.example'"],
    ['listenerconfig edit IncomingMail rcptaccess new', 'too many or too few words'],
  ])('%s says what is wrong', async (line, message) => {
    const { terminal, draft } = await shell([line])
    expect(terminal.transcript()).toContain(message)
    expect(draft.dirty).toBe(false)
  })
})

describe('settz', () => {
  const zones: TimeZones = {
    at: (zone) => (['Europe/Berlin', 'Etc/GMT'].includes(zone) ? { offsetSeconds: 0, abbreviation: 'X' } : null),
    list: () => ['Europe/Berlin', 'Etc/GMT'],
    table: () => ({ version: '2025b', rows: [{ zone: 'Europe/Berlin', country: 'Germany', comment: '' }] }),
  }

  it('takes a name at once, and a country with one zone without asking for the zone', async () => {
    const { draft, terminal } = await shell(['settz', 'setup', '1', '1', ''], { zones })
    expect(draft.get(system).timezone).toBe('Europe/Berlin')
    expect(terminal.transcript()).toContain(
      'Please choose your country:\n1. Germany\n[]> 1\n\nCurrent time zone: Europe/Berlin\n',
    )
  })

  it('refuses a zone that the system does not have', async () => {
    const { draft, terminal } = await shell(['settz Mars/Olympus'], { zones })
    expect(terminal.transcript()).toContain("There is no time zone 'Mars/Olympus'. (Ex: America/New_York)")
    expect(draft.dirty).toBe(false)
  })
})

describe('nslookup', () => {
  const network = (answers: Awaited<ReturnType<NetworkTools['resolve']>>): { readonly network: NetworkTools } => ({
    network: { resolve: async () => answers, connect: async () => Promise.reject(new UserError('no')) },
  })

  it('shows an answer with its time to live', async () => {
    const found = network([{ type: 'A', value: '192.0.34.166', ttlSeconds: 172_800 }])
    const { terminal } = await shell(['nslookup', 'example.com', '1', 'nslookup example.com mx'], found)
    expect(terminal.transcript()).toContain('[1]> 1\n\nA=192.0.34.166 TTL=2d\n\n')
  })

  it('escapes what a record holds', async () => {
    const found = network([{ type: 'TXT', value: 'a\u001b[2Jb', ttlSeconds: null }])
    const { terminal } = await shell(['nslookup example.com TXT'], found)
    expect(terminal.transcript()).toContain('TXT=a\\x1b[2Jb\n')
  })

  it('says when there is nothing, and refuses what is no host', async () => {
    const { terminal } = await shell(
      ['nslookup example.com MX', 'nslookup a..b', 'nslookup example.com XX'],
      network([]),
    )
    expect(terminal.transcript()).toContain('There is no MX record for example.com.')
    expect(terminal.transcript()).toContain('The value must be a host name or an IP address.')
    expect(terminal.transcript()).toContain('The value must be one of: A, AAAA,')
  })
})

describe('telnet', () => {
  it('shows what the other side says, with nothing of it obeyed', async () => {
    const socket = new PassThrough()
    socket.end('220 hi\r\n\u001b]0;x\u0007\u00ff done')
    const network = { resolve: async () => [], connect: async () => ({ socket, address: '192.0.2.1' }) }
    const { terminal } = await shell(['telnet mail.example.com 2525'], { network })
    expect(terminal.transcript()).toContain(
      'Trying mail.example.com...\nConnected to 192.0.2.1.\n220 hi\n\\x1b]0;x\\x07ÿ done\nConnection closed by foreign host.\n',
    )
  })
})

describe('help', () => {
  it('lists what the role may run, and shows the syntax of one', async () => {
    const { terminal } = await runInShell({
      commands: REGISTRY,
      answers: ['?', 'help status', 'help nope'],
      role: 'guest',
    })
    expect(terminal.transcript()).toMatch(/\nstatus +Show the state of the appliance\n/)
    expect(terminal.transcript()).not.toMatch(/\nlistenerconfig /)
    expect(terminal.transcript()).toContain('help status\n\nstatus\nstatus detail\n\nShows counters')
    expect(terminal.transcript()).toContain('Unknown command or missing feature key: nope')
  })
})

describe('formats', () => {
  it.each([
    [0, '0 secs'],
    [2_422_013, '4 weeks 46 mins 53 secs'],
    [86_461, '1 day 1 min 1 sec'],
  ])('an age of %i seconds', (seconds, text) => {
    expect(longAge(seconds)).toBe(text)
  })
  it.each([
    [81_929, '22h 45m 29s'],
    [0, '0s'],
    [266_401, '3d 2h 0m 1s'],
  ])('an up time of %i seconds', (seconds, text) => {
    expect(upTime(seconds)).toBe(text)
  })
  it.each([
    [172_800, '2d'],
    [3600, '1h'],
    [90, '90s'],
    [120, '2m'],
  ])('a time to live of %i seconds', (seconds, text) => {
    expect(shortTtl(seconds)).toBe(text)
  })
  it.each([
    ['saveconfig --passphrase="a b" x', 'saveconfig --passphrase=***** x'],
    ['x --client-secret abc', 'x --client-secret *****'],
    ['proxy http://user:pw@host:1', 'proxy http://user:*****@host:1'],
    ['grep password mail_logs', 'grep password mail_logs'],
  ])('%s without its secret', (line, masked) => {
    expect(maskSecrets(line)).toBe(masked)
  })
})
