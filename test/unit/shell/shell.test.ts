import { describe, expect, it } from 'vitest'
import { integer, text } from '../../../src/core/schema.ts'
import { system } from '../../../src/config/sections/system.ts'
import { ADMINISTRATORS, EVERYONE, defineCommand } from '../../../src/shell/command.ts'
import type { Session } from '../../../src/shell/command.ts'
import { UserError } from '../../../src/core/errors.ts'
import { entryOf, runInShell } from '../../support/shell-harness.ts'

const command = (name: string, run: (session: Session) => Promise<void>, roles = EVERYONE) =>
  entryOf(defineCommand({ name, summary: name, description: name, category: 'system', roles, needsCommit: false, run }))
const show = command('show', async (s) => {
  s.print('one line')
})
const wizard = command('wizard', async (s) => {
  const name = await s.ask.field('Enter a name:', text())
  const age = await s.ask.field('Enter the age:', integer(1, 5), 3)
  const yes = await s.ask.confirm('Go on?', true)
  const op = await s.ask.choose({ NEW: 'Make one.', NONE: 'Nothing.', EDIT: 'Change.' })
  const item = await s.ask.pick('Which?', ['a', 'b'], (x) => x, 0)
  const many = await s.ask.pickMany('All which?', ['a', 'b', 'c'], (x) => x, [0])
  const pasted = await s.ask.paste("Enter '.' on its own line to end.")
  s.print(JSON.stringify([name, age, yes, op, item, many, pasted]))
})
const stage = command('stage', async (s) => {
  s.draft.set(system, { hostname: 'b.example.com', timezone: 'Etc/GMT' })
})
const fails = command('fails', async () => {
  throw new UserError('That does not work.')
})
const breaks = command('breaks', async () => {
  throw new TypeError('secret detail')
})
const commands = [breaks, fails, show, stage, wizard]

describe('the shell on a terminal', () => {
  it('puts one blank line after a command line and one before the next prompt', async () => {
    const { terminal } = await runInShell({ commands, answers: ['show', '', 'show'] })
    expect(terminal.transcript()).toBe(
      'mail.example.com> show\n\none line\n\nmail.example.com> \nmail.example.com> show\n\none line\n\nmail.example.com> \n',
    )
  })

  it('asks each kind of question in the form of the appliance', async () => {
    const answers = ['wizard', 'joe', '', 'N', 'ne', '', '1,3', 'l1', '..', '.']
    const { terminal } = await runInShell({ commands, answers })
    expect(terminal.transcript()).toBe(
      [
        'mail.example.com> wizard',
        '',
        'Enter a name:',
        '[]> joe',
        '',
        'Enter the age:',
        '[3]> ',
        '',
        'Go on? [Y]> N',
        '',
        'Choose the operation you want to perform:',
        '- NEW - Make one.',
        '- NONE - Nothing.',
        '- EDIT - Change.',
        '[]> ne',
        '',
        'Which?',
        '1. a',
        '2. b',
        '[1]> ',
        '',
        'All which?',
        '1. a',
        '2. b',
        '3. c',
        '[1]> 1,3',
        '',
        "Enter '.' on its own line to end.",
        'l1',
        '..',
        '.',
        '',
        '["joe",3,false,"NEW","a",["a","c"],"l1\\n.."]',
        '',
        'mail.example.com> ',
        '',
      ].join('\n'),
    )
  })

  it('asks again after a wrong answer, with the reason', async () => {
    const { terminal } = await runInShell({ commands, answers: ['wizard', '', 'joe', '9', 'x', '2', 'maybe', '^C'] })
    expect(terminal.transcript()).toContain('[]> \n\nA value is required.\n[]> joe\n\n')
    expect(terminal.transcript()).toContain(
      '[3]> 9\n\nThe value must be an integer from 1 to 5.\n[3]> x\n\nThe value must be a number.\n[3]> 2\n',
    )
    expect(terminal.transcript()).toContain(
      'Go on? [Y]> maybe\n\nPlease answer Yes or No.\nGo on? [Y]> ^C\n\nmail.example.com> ',
    )
  })

  it('refuses an ambiguous or unknown menu word', async () => {
    const { terminal } = await runInShell({
      commands,
      answers: ['wizard', 'joe', '', '', 'n', 'zap', '', '2', '', '.'],
    })
    expect(terminal.transcript().split('The value must be one of: NEW, NONE, EDIT.')).toHaveLength(3)
    expect(terminal.transcript()).toContain('["joe",3,true,null,"b",["a"],""]')
  })

  it('says so when there is no such command, and hides the commands that a role lacks', async () => {
    const admin = command('resetall', async () => undefined, ADMINISTRATORS)
    const { terminal, status } = await runInShell({ commands: [admin], answers: ['foo', 'resetall'], role: 'guest' })
    expect(terminal.transcript()).toContain('Unknown command or missing feature key: foo\n')
    expect(terminal.transcript()).toContain('Unknown command or missing feature key: resetall\n')
    expect(status).toBe(1)
  })

  it('asks before the end of the input loses changes, and goes on when the answer is no', async () => {
    const { terminal } = await runInShell({ commands, answers: ['stage', '^D', 'n', 'show', '^D', 'y'] })
    expect(terminal.transcript()).toContain(
      "Configuration changes entered but not committed.  Exiting will lose changes.\nType 'commit' at the command prompt to commit changes.\nAre you sure you wish to exit? [N]> n\n",
    )
    expect(terminal.transcript()).toContain('one line')
    expect(terminal.transcript().endsWith('Are you sure you wish to exit? [N]> y\n\n')).toBe(true)
  })

  it('shows a reference, never the text, of an unexpected error', async () => {
    const { terminal, events } = await runInShell({ commands, answers: ['breaks'] })
    expect(terminal.transcript()).toMatch(/internal error\. The system log has the reference [0-9a-f]{8}\./)
    expect(terminal.transcript()).not.toContain('secret detail')
    expect(events).toContainEqual(expect.objectContaining({ type: 'system.fault', error: 'secret detail' }))
  })

  it('publishes log-in, log-out and every entered line with its prompt, secrets masked', async () => {
    const login = command('login', async (s) => {
      await s.ask.field('Passphrase:', text(), undefined, { secret: true })
    })
    const answers = ['login', 'hunter2', 'show --passphrase=abc']
    const { events } = await runInShell({ commands: [login], answers, interactive: true })
    expect(events[0]).toEqual({ type: 'cli.login', user: 'admin', from: 'local' })
    expect(events.at(-1)).toEqual({ type: 'cli.logout', user: 'admin', from: 'local' })
    expect(events.filter((e) => e.type === 'cli.entered')).toEqual([
      { type: 'cli.entered', pid: 274, user: 'admin', entered: 'login', prompt: '\nmail.example.com> ' },
      { type: 'cli.entered', pid: 274, user: 'admin', entered: '*****', prompt: '\nPassphrase:\n[]> ' },
      {
        type: 'cli.entered',
        pid: 274,
        user: 'admin',
        entered: 'show --passphrase=*****',
        prompt: '\nmail.example.com> ',
      },
    ])
  })

  it('publishes how each command ended, and from where it came, secrets masked', async () => {
    const answers = ['show; nonsense --secret=abc', 'wizard', '^C', 'wizard']
    const { events } = await runInShell({ commands, answers, interactive: true })
    const from = { pid: 274, user: 'admin', from: 'local' }
    expect(events.filter((e) => e.type === 'cli.ran')).toEqual([
      { type: 'cli.ran', ...from, command: 'show', outcome: 'done' },
      { type: 'cli.ran', ...from, command: 'nonsense --secret=*****', outcome: 'failed' },
      { type: 'cli.ran', ...from, command: 'wizard', outcome: 'interrupted' },
      { type: 'cli.ran', ...from, command: 'wizard', outcome: 'end-of-input' },
    ])
  })

  it('leaves one blank line before the prompt after Ctrl-C at any question', async () => {
    const { terminal } = await runInShell({ commands, answers: ['wizard', '^C', 'wizard', 'joe', '^C', 'show'] })
    expect(terminal.transcript().match(/\^C\n\nmail\.example\.com> /g)).toHaveLength(2)
    expect(terminal.transcript()).not.toContain('^C\nmail')
  })

  it('pages long output and stops at q', async () => {
    const long = command('long', (s) => s.page(Array.from({ length: 30 }, (_, i) => `row ${i}`)))
    const { terminal } = await runInShell({
      commands: [long],
      answers: ['long'],
      interactive: true,
      rows: 11,
      keys: [' ', 'q'],
    })
    expect(terminal.transcript()).toContain('row 19\n')
    expect(terminal.transcript()).not.toContain('row 20\n')
  })

  it('never passes a control byte of the content on', async () => {
    const evil = command('evil', async (s) => {
      s.print('a\u001b]52;c;x\u0007b\u009bc \u001b[31mred\u001b[0m')
    })
    const { terminal } = await runInShell({ commands: [evil], answers: ['evil'] })
    // A terminal without colours has no use for any of them.
    expect(terminal.transcript()).toContain('a\\x1b]52;c;x\\x07b\\x9bc \\x1b[31mred\\x1b[0m\n')
  })
})

describe('the shell on a script', () => {
  const batch = {}
  it('stops at the first command that fails and names the line', async () => {
    const { terminal, status } = await runInShell({ commands, answers: ['show', 'fails', 'show'], batch })
    expect(status).toBe(1)
    expect(terminal.transcript().split('one line')).toHaveLength(2)
    expect(terminal.notices).toEqual(['Stopped at line 2 of the input; what follows was not run.'])
  })

  it('stops at a refused answer', async () => {
    const { terminal, status } = await runInShell({ commands, answers: ['wizard', 'joe', '9', 'show'], batch })
    expect(status).toBe(1)
    expect(terminal.transcript().endsWith('[3]> 9\n\nThe value must be an integer from 1 to 5.\n')).toBe(true)
    expect(terminal.notices).toEqual(['Stopped at line 3 of the input; what follows was not run.'])
  })

  it('goes on when told to, on the next line and on the same, and still exits 1', async () => {
    const { terminal, status } = await runInShell({
      commands,
      answers: ['fails; show', 'show'],
      batch: { keepGoing: true },
    })
    expect(status).toBe(1)
    expect(terminal.transcript().split('one line')).toHaveLength(3)
  })

  it('names the command of -c at which it stopped, where more would have followed', async () => {
    const batch = { prompts: false, position: null }
    const stopped = await runInShell({ commands, answers: ['show; fails; show'], batch })
    expect(stopped.terminal.transcript()).toBe('one line\n\nThat does not work.\n')
    expect(stopped.terminal.notices).toEqual(['Stopped at command 2; what follows was not run.'])
    const last = await runInShell({ commands, answers: ['show; fails'], batch })
    expect(last.terminal.notices).toEqual([])
    expect(last.status).toBe(1)
  })

  it('abandons a dialogue in which the input ends', async () => {
    const { terminal, status } = await runInShell({ commands, answers: ['stage', 'wizard', 'joe'], batch })
    expect(status).toBe(1)
    expect(terminal.notices).toEqual([
      'The input ended inside a dialogue; the dialogue was abandoned.',
      'Warning: the input ended with changes that were not committed; they are lost.',
    ])
  })

  it('shows only the output with -c, a blank line between commands', async () => {
    const { terminal, status } = await runInShell({ commands, answers: ['show', 'show'], batch: { prompts: false } })
    expect(status).toBe(0)
    expect(terminal.transcript()).toBe('one line\n\none line\n')
  })
})
