import { describe, expect, it } from 'vitest'
import { Interrupted } from '../../../src/core/errors.ts'
import { settle } from '../../support/fake-clock.ts'
import { typedTty } from '../../support/tty-harness.ts'

const PROMPT = 'mail.example.com> '

describe('a line prompt', () => {
  it('writes exactly the prompt, the echo and the line feed', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine('Disable URL Filtering? [N]> ')
    await settle()
    await tty.type('yes')
    await tty.type('\u007f\u007f')
    await tty.type('\r')
    expect(await line).toBe('y')
    expect(tty.output()).toBe('Disable URL Filtering? [N]> yes\b \b\b \b\n')
  })

  it('edits in the middle of a line', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine(PROMPT)
    await tty.type('stts\u001b[D\u001b[Da\u001b[H\u001b[3~\u0005!\u0001S\u001b[F?')
    expect(tty.screen()).toEqual([`${PROMPT}Stats!?`])
    await tty.type('\u001bb\u000b\r')
    expect(await line).toBe('')
  })

  it('cuts words and lines', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine(PROMPT)
    await tty.type('grep one two  \u0017three\u0001\u001bf\u001bf\u000b\u0015again\r')
    expect(await line).toBe('again')
    expect(tty.screen()).toEqual([`${PROMPT}again`])
  })

  it('counts wide characters as two columns and deletes them whole', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine('> ')
    await tty.type('漢字x\u001b[D\u001b[D\u007fy')
    expect(tty.screen()).toEqual(['> y字x'])
    await tty.type('\r')
    expect(await line).toBe('y字x')
  })

  it('wraps at the right edge, also when the line is edited there', async () => {
    const tty = typedTty({ columns: 10 })
    const line = tty.terminal.readLine('host> ')
    await tty.type('abcdefghijklmnopqr')
    expect(tty.screen()).toEqual(['host> abcd', 'efghijklmn', 'opqr'])
    await tty.type('\u0001X')
    expect(tty.screen()).toEqual(['host> Xabc', 'defghijklm', 'nopqr'])
    await tty.type('\u0005\u007f\u007f\u007f\u007f\u007f\u007f')
    expect(tty.screen()).toEqual(['host> Xabc', 'defghijkl'])
    await tty.type('\r')
    expect(await line).toBe('Xabcdefghijkl')
  })

  it('draws the whole line anew where the terminal wrapped it anew', async () => {
    const tty = typedTty({ columns: 10 })
    const line = tty.terminal.readLine('host> ')
    await tty.type('abcdefghijkl')
    tty.resize(20)
    tty.clear()
    await tty.type('X')
    // The cursor stood in the second row and stands at the end of the first now.
    expect(tty.output()).toBe('\r\u001b[6CabcdefghijklX\u001b[J')
    tty.resize(8)
    tty.clear()
    await tty.type('\r')
    expect(tty.output()).toBe('\u001b[2A\u001b[3CabcdefghijklX\u001b[J\n')
    expect(await line).toBe('abcdefghijklX')
  })

  it('draws every edit as if the line had been typed at once', async () => {
    const edits = [
      'ab',
      '\u001b[D',
      'é',
      '漢漢漢',
      '\u001b[C',
      '\u007f',
      '\u0001',
      'z',
      '\u001b[3~',
      '\u0005',
      '😀w',
      '\u001b[D\u001b[D',
      '\u000b',
    ]
    for (const columns of [7, 8, 9, 80]) {
      const tty = typedTty({ columns })
      const reading = tty.terminal.readLine('> ')
      for (const edit of edits) await tty.type(edit)
      const shown = tty.screen()
      await tty.type('\r')
      const line = (await reading) ?? ''
      const plain = typedTty({ columns })
      void plain.terminal.readLine('> ')
      await plain.type(line)
      expect(shown.join('\n').trimEnd()).toBe(plain.screen().join('\n').trimEnd())
    }
  })

  it('keeps what is typed ahead for the next prompts', async () => {
    const tty = typedTty()
    await tty.type('one\rtwo\r\nthree\r')
    expect([
      await tty.terminal.readLine('1> '),
      await tty.terminal.readLine('2> '),
      await tty.terminal.readLine('3> '),
    ]).toEqual(['one', 'two', 'three'])
    expect(tty.output()).toBe('1> one\n2> two\n3> three\n')
  })

  it('answers two hundred prompts without a listener left behind', async () => {
    const tty = typedTty()
    await tty.type(Array.from({ length: 200 }, (_, i) => `${i}\r`).join(''))
    for (let i = 0; i < 200; i++) expect(await tty.terminal.readLine('> ')).toBe(String(i))
  })

  it('goes through the history of commands and back to the unsent line', async () => {
    const tty = typedTty({ history: ['version', 'status'] })
    const line = tty.terminal.readLine(PROMPT, { history: 'commands' })
    await tty.type('dra\u001b[A\u0010\u001b[A')
    expect(tty.screen()).toEqual([`${PROMPT}version`])
    await tty.type('\u000e\u001b[B')
    expect(tty.screen()).toEqual([`${PROMPT}dra`])
    await tty.type('\u001b[A\r')
    expect(await line).toBe('status')
    const next = tty.terminal.readLine('[]> ')
    await tty.type('\u001b[Ax\r')
    expect(await next).toBe('x')
  })

  it('completes, extends to the common part, and lists what is ambiguous', async () => {
    const names = ['setgateway', 'sethostname', 'settime', 'settz']
    const complete = (text: string) => names.filter((n) => n.startsWith(text))
    const tty = typedTty()
    const line = tty.terminal.readLine(PROMPT, { complete })
    await tty.type('se\t')
    expect(tty.screen()).toEqual([`${PROMPT}set`])
    await tty.type('\t')
    expect(tty.screen()).toEqual([`${PROMPT}set`, 'setgateway, sethostname, settime, settz', `${PROMPT}set`])
    await tty.type('h\t')
    expect(tty.screen().at(-1)).toBe(`${PROMPT}sethostname`)
    await tty.type('x\t\r')
    expect(tty.output()).toContain('\u0007')
    expect(await line).toBe('sethostname x')
  })

  it('does not complete inside a paste', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine(PROMPT, { complete: () => ['never'] })
    await tty.type('\u001b[200~a\tb\u001b[201~\r')
    expect(await line).toBe('a b')
  })

  it('shows nothing of a secret and keeps it out of the history', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine('[]> ', { secret: true })
    await tty.type('hunter2\u007f3\r')
    expect(await line).toBe('hunter3')
    expect(tty.output()).toBe('[]> \n')
  })

  it('throws at Ctrl-C with ^C on the screen', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine(PROMPT)
    const outcome = expect(line).rejects.toBeInstanceOf(Interrupted)
    await tty.type('half')
    await tty.type('\u0003')
    await outcome
    expect(tty.output()).toBe(`${PROMPT}half^C\n`)
  })

  it('ends at Ctrl-D on an empty line only', async () => {
    const tty = typedTty()
    const line = tty.terminal.readLine(PROMPT)
    await tty.type('ab\u0001\u0004\r')
    expect(await line).toBe('b')
    const next = tty.terminal.readLine(PROMPT)
    await tty.type('\u0004')
    expect(await next).toBeNull()
  })

  it('submits a partial line at the end of the input, then ends', async () => {
    const tty = typedTty()
    await tty.type('quit')
    tty.end()
    expect(await tty.terminal.readLine(PROMPT)).toBe('quit')
    expect(await tty.terminal.readLine(PROMPT)).toBeNull()
    expect(await tty.terminal.readKey('-more-')).toBeNull()
  })

  it('lives with a window of no size', () => {
    const { terminal } = typedTty({ columns: 0, rows: 0 })
    expect([terminal.columns, terminal.rows]).toEqual([80, 24])
  })

  it('stops the flow when far too much is typed ahead, and lets it go on', async () => {
    const tty = typedTty()
    expect(tty.feed(Buffer.from(`${'x'.repeat(70_000)}\r`))).toBe(false)
    const line = tty.terminal.readLine('> ')
    await settle()
    expect((await line)?.length).toBe(70_000)
    expect(tty.resumed()).toBe(1)
  })
})

describe('a terminal between prompts', () => {
  it('aborts what runs at Ctrl-C and forgets the type-ahead', async () => {
    const tty = typedTty()
    const running = tty.terminal.untilInterrupt()
    await tty.type('lost\u0003')
    expect(running.signal.aborted).toBe(true)
    running.done()
    const line = tty.terminal.readLine('> ')
    await tty.type('kept\r')
    expect(await line).toBe('kept')
  })

  it('keeps a Ctrl-C that nobody listened for until the next question', async () => {
    const tty = typedTty()
    await tty.type('\u0003')
    await expect(tty.terminal.readLine('> ')).rejects.toBeInstanceOf(Interrupted)
  })

  it('reads one key while paging and takes its question away', async () => {
    const tty = typedTty()
    const key = tty.terminal.readKey('-Press Any Key For More-')
    await tty.type('q')
    expect(await key).toBe('q')
    expect(tty.screen()).toEqual([''])
  })

  it('hands what was typed ahead over at once, and lets a flow that was stopped go on', async () => {
    const tty = typedTty()
    expect(tty.feed(Buffer.from('x'.repeat(70_000)))).toBe(false)
    const seen: string[] = []
    const raw = tty.terminal.raw?.((bytes) => seen.push(Buffer.from(bytes).toString('latin1')))
    expect(seen.join('')).toBe('x'.repeat(70_000))
    expect(tty.resumed()).toBe(1)
    raw?.done()
  })

  it('hands raw bytes over and back', async () => {
    const tty = typedTty()
    const seen: string[] = []
    const raw = tty.terminal.raw?.((bytes) => seen.push(Buffer.from(bytes).toString('latin1')))
    await tty.type('\u001d\u0003x')
    raw?.done()
    const line = tty.terminal.readLine('> ')
    await tty.type('y\r')
    expect(seen).toEqual(['\u001d\u0003x'])
    expect(await line).toBe('y')
  })

  it('colours by its own terminal only', () => {
    expect(typedTty({ colour: true }).terminal.paint?.('bad', 'x')).toBe('\u001b[31mx\u001b[39m')
    expect(typedTty().terminal.paint?.('bad', 'x')).toBe('x')
  })
})
