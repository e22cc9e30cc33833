import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freshHome, removeHome, shell } from '../support/appliance.ts'
import { root } from '../support/root.ts'

const HOSTNAME = 'esa1.hcxxyy-zz.iphmx.com'
/** The document itself where it is at hand; else the excerpt that the repository keeps of it. */
const REFERENCE =
  [process.env['LYCHGATE_REFERENCE'], join(root, '../shared/reference/url-retrospective-verdict.txt')].find(
    (file) => file !== undefined && existsSync(file),
  ) ?? join(root, 'fixtures/reference/url-retrospective-verdict.txt')

/** Blanks at line ends and the time are not part of the comparison (reference/README.md). */
const comparable = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .map((line) => line.replace(/^(Changes committed: ).*$/, '$1TIME'))

const dialogues = (): readonly string[] => {
  const lines = comparable(readFileSync(REFERENCE, 'utf8'))
  const first = lines.indexOf(`${HOSTNAME}> urlretroservice enable`)
  const last = lines.indexOf('Changes committed: TIME')
  return lines.slice(first, last + 1)
}

let home: string
beforeEach(() => {
  home = freshHome()
})
afterEach(() => removeHome(home))

it('replays the dialogues of the reference document line for line from a fresh home', async () => {
  const expected = dialogues()
  expect(expected.length).toBeGreaterThan(30)
  const input = 'urlretroservice enable\nwebsecurityconfig\n\n\n\ny\n\ncommit\n\n\n'
  const { stdout, code } = await shell(home, ['--hostname', HOSTNAME, '--echo'], input)
  const printed = comparable(stdout)
  const first = printed.indexOf(expected[0] ?? '')
  expect(printed.slice(first, first + expected.length)).toEqual(expected)
  // Nothing but the next prompt follows.
  expect(printed.slice(first + expected.length).filter((line) => line !== '' && line !== `${HOSTNAME}>`)).toEqual([])
  expect(code).toBe(0)
})

it('keeps an excerpt that is the document, word for word', () => {
  const excerpt = readFileSync(join(root, 'fixtures/reference/url-retrospective-verdict.txt'), 'utf8')
  expect(comparable(excerpt).filter((line) => line !== '')).toEqual(dialogues().filter((line) => line !== ''))
})
