import { expect, it } from 'vitest'
import { page } from '../../../../src/shell/format/pager.ts'
import { createOutput } from '../../../../src/shell/output.ts'
import { scriptTerminal } from '../../../support/session-terminal.ts'

it('asks in a narrow window with a question that does not wrap', async () => {
  const asked: string[] = []
  const terminal = {
    ...scriptTerminal({ answers: [], interactive: true, rows: 5, columns: 20 }),
    readKey: async (prompt: string) => {
      asked.push(prompt)
      return ' '
    },
  }
  const lines = Array.from({ length: 6 }, (_, i) => `row ${i}`)
  await page(terminal, createOutput(terminal), lines)
  expect(asked).toEqual(['-Press Any Key For '])
})
