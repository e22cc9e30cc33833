import { expect, it } from 'vitest'
import { SmtpInput } from '../../../../src/mail/smtp/input.ts'

const all = (input: SmtpInput, most: number): readonly string[] => {
  const seen: string[] = []
  for (let line = input.line(most); line !== null; line = input.line(most))
    seen.push(line.kind === 'line' ? `${line.bytes.toString()}${line.bare ? ' (bare)' : ''}` : 'too long')
  return seen
}

it('reads lines, tells a bare LF, and passes over a line that is too long', () => {
  const input = new SmtpInput()
  input.add(Buffer.from('one\r\n\ntwo\n0123456789'))
  expect(all(input, 8)).toEqual(['one', ' (bare)', 'two (bare)', 'too long'])
  input.add(Buffer.from('and on'))
  expect(all(input, 8)).toEqual([])
  expect(input.length).toBe(0)
  input.add(Buffer.from('\r\nthree\r\nfo'))
  expect(all(input, 8)).toEqual(['three'])
  input.add(Buffer.from('ur\r\n'))
  expect(all(input, 8)).toEqual(['four'])
})

it('passes over octets that are no commands, also those that come later', () => {
  const input = new SmtpInput()
  input.add(Buffer.from('ab\r\n'))
  input.skip(7)
  expect(all(input, 100)).toEqual([])
  input.add(Buffer.from('cd\nNOOP\r\n'))
  expect(all(input, 100)).toEqual(['NOOP'])
})
