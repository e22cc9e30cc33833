import { describe, expect, it } from 'vitest'
import { Interrupted } from '../../../src/core/errors.ts'
import { createBatch } from '../../../src/transports/batch.ts'

const batch = (options: { readonly echo?: boolean; readonly command?: string } = {}) => {
  let output = ''
  let pulls = 0
  const made = createBatch({
    write: (text) => {
      output += text
    },
    notice: () => undefined,
    columns: 0,
    origin: 'local',
    echo: options.echo ?? false,
    keepGoing: false,
    ...(options.command === undefined ? {} : { command: options.command }),
    pull: () => {
      pulls++
    },
  })
  return { ...made, output: () => output, pulls: () => pulls }
}

describe('a script', () => {
  it('gives line after line however the bytes are cut, with either line end', async () => {
    const b = batch({ echo: true })
    const bytes = Buffer.from('first\r\nzweite Zeile ü\nlast')
    for (const byte of bytes) b.feed(Uint8Array.of(byte))
    b.end()
    const { terminal } = b
    expect([await terminal.readLine('1> '), await terminal.readLine('2> '), await terminal.readLine('3> ')]).toEqual([
      'first',
      'zweite Zeile ü',
      'last',
    ])
    expect(await terminal.readLine('4> ')).toBeNull()
    expect(b.output()).toBe('1> first\n2> zweite Zeile ü\n3> last\n4> \n')
  })

  it('leaves the answers out without --echo, but keeps the line ends', async () => {
    const b = batch()
    b.feed(Buffer.from('version\n'))
    await b.terminal.readLine('host> ', { history: 'commands' })
    expect(b.output()).toBe('host> \n')
  })

  it('writes the prompt before the line is there', async () => {
    const b = batch({ echo: true })
    const line = b.terminal.readLine('host> ')
    expect(b.output()).toBe('host> ')
    expect(b.pulls()).toBe(1)
    b.feed(Buffer.from('x\n'))
    expect(await line).toBe('x')
  })

  it('never echoes a secret, and no control byte', async () => {
    const b = batch({ echo: true })
    b.feed(Buffer.from('hunter2\na\u001b[2Jb\n'))
    await b.terminal.readLine('[]> ', { secret: true })
    await b.terminal.readLine('[]> ')
    expect(b.output()).toBe('[]> \n[]> a?[2Jb\n')
  })

  it('takes the command of -c first and its answers from the input, which it reads only when asked', async () => {
    const b = batch({ command: 'commit' })
    const { terminal } = b
    expect(await terminal.readLine('', { history: 'commands' })).toBe('commit')
    expect(b.pulls()).toBe(0)
    const answer = terminal.readLine('[]> ')
    expect(b.pulls()).toBe(1)
    b.feed(Buffer.from('a comment\n'))
    expect(await answer).toBe('a comment')
    expect(await terminal.readLine('', { history: 'commands' })).toBeNull()
    expect(b.output()).toBe('[]> \n')
    expect(terminal.batch?.position()).toBe('line 1')
  })

  it('ends a wait for input at an interrupt', async () => {
    const b = batch()
    const line = b.terminal.readLine('> ')
    b.interrupt()
    await expect(line).rejects.toBeInstanceOf(Interrupted)
    expect(b.terminal.untilInterrupt().signal.aborted).toBe(true)
  })
})
