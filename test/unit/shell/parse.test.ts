import { describe, expect, it } from 'vitest'
import { splitCommands, splitForCompletion } from '../../../src/shell/parse.ts'

describe('splitting a command line', () => {
  it.each([
    ['status detail', [['status', 'detail']]],
    ['  version ;status  ', [['version'], ['status']]],
    [';;', []],
    ['', []],
    ['commit "a; b" Y', [['commit', 'a; b', 'Y']]],
    [`grep "SDR: \\"x\\.y" 'a"b' mail_logs`, [['grep', 'SDR: "x\\.y', 'a"b', 'mail_logs']]],
    ['x ""', [['x', '']]],
    ['a --descr="two words"', [['a', '--descr=two words']]],
    ['grep \\d+ mail_logs', [['grep', '\\d+', 'mail_logs']]],
  ])('%j', (line, expected) => {
    expect(splitCommands(line)).toEqual(expected)
  })

  it('refuses a quotation mark that is not closed', () => {
    expect(() => splitCommands('commit "half')).toThrow('A quotation mark (") is not closed.')
  })

  it('refuses an endless line', () => {
    expect(() => splitCommands('x'.repeat(70_000))).toThrow('more than 65536 characters')
  })

  it.each([
    ['', { before: [], part: '' }],
    ['set', { before: [], part: 'set' }],
    ['version; url', { before: [], part: 'url' }],
    ['logconfig ', { before: ['logconfig'], part: '' }],
    ['a b c', { before: ['a', 'b'], part: 'c' }],
  ])('completes the last word of %j', (line, expected) => {
    expect(splitForCompletion(line)).toEqual(expected)
  })
})
