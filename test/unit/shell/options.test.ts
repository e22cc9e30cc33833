import { describe, expect, it } from 'vitest'
import { integer } from '../../../src/core/schema.ts'
import type { Session } from '../../../src/shell/command.ts'
import { readForm, readValue, wordForm } from '../../../src/shell/options.ts'

const takes = { min: 1, max: 2, values: ['comment', 'max_size', 'C'], flags: ['addr-only', 'i'], repeatable: ['e'] }
const read = (...args: readonly string[]) => readForm('verb NAME [--comment=TEXT]', args, takes)

describe('what follows the words of a batch form', () => {
  it('is split into words and options, wherever these stand', () => {
    expect(read('a', '--comment=so it is', 'b', '--addr-only')).toEqual({
      words: ['a', 'b'],
      options: { comment: 'so it is', 'addr-only': '' },
      repeated: {},
    })
    expect(read('--max_size', '5M', 'a').options).toEqual({ max_size: '5M' })
  })

  it('has short options, repeated ones and values that begin with a dash', () => {
    expect(read('-i', '-C', '2', '-e', 'x', '-e', '-y', 'log')).toEqual({
      words: ['log'],
      options: { C: '2', i: '' },
      repeated: { e: ['x', '-y'] },
    })
    expect(read('a', '--comment=--tls').options).toEqual({ comment: '--tls' })
    expect(read('--', '--comment').words).toEqual(['--comment'])
    expect(read('-4').words).toEqual(['-4'])
    expect(read('a', '').words).toEqual(['a', ''])
  })

  it('does not keep anything from one line for the next', () => {
    read('a', '--comment=x', '-e', 'y')
    expect(read('b')).toEqual({ words: ['b'], options: {}, repeated: {} })
  })

  it.each([
    [[], 'A value is missing.'],
    [['a', 'b', 'c', 'd'], "There is nothing to do with 'c d'."],
    [['a', '--size=5'], 'There is no option --size.'],
    [['a', '-x'], 'There is no option -x.'],
    [['a', '--comment'], 'The option --comment needs a value.'],
    [['a', '--comment', '--max_size=1'], 'The option --comment needs a value.'],
    [['a', '--help'], 'There is no option --help.'],
  ])('%j is refused in one line with the usage', (args, why) => {
    expect(() => read(...args)).toThrow(`${why} Usage: verb NAME [--comment=TEXT]`)
  })
})

describe('a batch form of plain words', () => {
  const session = {} as Session
  const form = (takes: number | readonly [number, number]) => {
    const given: (readonly string[])[] = []
    const made = wordForm('verb word [A] [B]', ['word'], takes, (_, words) => given.push(words))
    return { given, run: async (...args: readonly string[]) => await made.run(session, args) }
  }

  it('hands over as many words as it takes', async () => {
    const two = form(2)
    await two.run('a', 'b')
    const some = form([0, 1])
    await some.run()
    await some.run('a')
    expect([two.given, some.given]).toEqual([[['a', 'b']], [[], ['a']]])
  })

  it('refuses fewer, more and options with its usage, and does nothing', async () => {
    const none = form(0)
    await expect(none.run('a')).rejects.toThrow("There is nothing to do with 'a'. Usage: verb word [A] [B]")
    await expect(form(1).run()).rejects.toThrow('A value is missing. Usage: verb word [A] [B]')
    await expect(none.run('--x')).rejects.toThrow('There is no option --x.')
    expect(none.given).toEqual([])
  })

  it('waits for what it does', async () => {
    const slow = wordForm('verb', [], 0, async () => await Promise.reject(new Error('later')))
    await expect(slow.run(session, [])).rejects.toThrow('later')
  })
})

it('a word that is no value is refused in the words of its field', () => {
  expect(readValue(integer(1, 5), '3')).toBe(3)
  expect(() => readValue(integer(1, 5), '6')).toThrow(/1 to 5|from 1/)
})
