import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REGISTRY } from '../../src/shell/registry.ts'
import { filesUnder, root } from './imports.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Relative links of a page that lead nowhere. */
const deadLinks = (file: string): readonly string[] =>
  [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !existsSync(join(root, dirname(file), link)))
    .map((link) => `${file}: ${link}`)

describe('the documents', () => {
  it('link to what is there', () => expect(['README.md', ...filesUnder('docs', '.md')].flatMap(deadLinks)).toEqual([]))

  it('list every command with the words of the registry', () => {
    const index = read('docs/commands/README.md')
    const missing = REGISTRY.filter(({ name, summary }) => !index.includes(`| [${name}](${name}.md) | ${summary} |`))
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('open the README with the two commands', () => {
    const commands = [...read('README.md').matchAll(/^ {4}(npm .*)$/gm)].map(([, command]) => command)
    expect(commands).toEqual(['npm install && npm run demo', 'npm install && npm test'])
  })
})
