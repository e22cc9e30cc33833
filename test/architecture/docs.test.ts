import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REGISTRY } from '../../src/shell/registry.ts'
import { commandPages } from '../support/command-pages.ts'
import { filesUnder, root } from './imports.ts'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Relative links of a page that lead nowhere. */
const deadLinks = (file: string): readonly string[] =>
  [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !existsSync(join(root, dirname(file), link)))
    .map((link) => `${file}: ${link}`)

const COMMANDS = 'docs/commands'

describe('the documents', () => {
  it('link to what is there', () => {
    // Notes stand in the pages, and link from there.
    const files = filesUnder('docs', '.md').filter((file) => !file.startsWith(`${COMMANDS}/notes/`))
    expect(['README.md', ...files].flatMap(deadLinks)).toEqual([])
  })

  it('show the commands as they are declared and recorded (npm run docs writes them anew)', async () => {
    const pages = await commandPages()
    const stale = [...pages].filter(
      ([name, text]) => !existsSync(join(root, COMMANDS, name)) || read(`${COMMANDS}/${name}`) !== text,
    )
    expect(stale.map(([name]) => name)).toEqual([])
    expect(readdirSync(join(root, COMMANDS)).filter((name) => name.endsWith('.md') && !pages.has(name))).toEqual([])
  })

  it('have notes for commands that exist only', () => {
    const known = new Set(['README.md', ...REGISTRY.map(({ name }) => `${name}.md`)])
    expect(readdirSync(join(root, `${COMMANDS}/notes`)).filter((name) => !known.has(name))).toEqual([])
  })

  it('open the README with the two commands', () => {
    const commands = [...read('README.md').matchAll(/^ {4}(npm .*)$/gm)].map(([, command]) => command)
    expect(commands).toEqual(['npm install && npm run demo', 'npm install && npm test'])
  })
})
