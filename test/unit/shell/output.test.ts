import { expect, it } from 'vitest'
import { createOutput } from '../../../src/shell/output.ts'

it.each([
  [true, 'a \u001b[31mred\u001b[39m \\x1b[8mhidden \\x1b[1;31mx \\u2028'],
  [false, 'a \\x1b[31mred\\x1b[39m \\x1b[8mhidden \\x1b[1;31mx \\u2028'],
])('lets through the colours that we write, on terminals that have them (%s)', (colour, expected) => {
  let shown = ''
  createOutput({ colour, write: (text) => (shown += text) }).print(
    'a \u001b[31mred\u001b[39m \u001b[8mhidden \u001b[1;31mx \u2028',
  )
  expect(shown).toBe(`${expected}\n`)
})
