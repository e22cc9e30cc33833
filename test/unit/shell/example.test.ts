import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readExample } from '../../../src/shell/example.ts'
import { REGISTRY } from '../../../src/shell/registry.ts'

const fixture = (file: string): string =>
  readFileSync(new URL(`../../../fixtures/sessions/${file}`, import.meta.url), 'utf8')

describe('the example of a command', () => {
  it('is there for every command of the registry, and begins with that command or what leads to it', async () => {
    const commands = await Promise.all(REGISTRY.map((entry) => entry.load()))
    const examples = await Promise.all(
      commands.map(async (command) => ({ command, example: await readExample(command) })),
    )
    expect(examples.filter(({ example }) => example === null).map(({ command }) => command.name)).toEqual([])
    for (const { example } of examples) expect(example?.lines.length).toBeLessThanOrEqual(41)
    const elsewhere = examples.filter(
      ({ command, example }) =>
        example?.lines.some((line) => line.toLowerCase().includes(`> ${command.name}`)) !== true,
    )
    expect(elsewhere.map(({ command }) => command.name)).toEqual([])
  })

  it('is the first recording by name, or the one that the command names', async () => {
    expect((await readExample({ name: 'filters' }))?.file).toBe('filters/batch.session')
    expect((await readExample({ name: 'filters', example: 'menu' }))?.file).toBe('filters/menu.session')
    expect(await readExample({ name: 'filters', example: 'nothing' })).toBeNull()
    expect(await readExample({ name: 'nothing' })).toBeNull()
  })

  it('leaves out the settings of the recording and what differs from run to run', async () => {
    expect(fixture('status/status.session')).toContain('<*>')
    const lines = (await readExample({ name: 'status' }))?.lines ?? []
    expect(lines[0]).toBe('mail.example.com> status')
    expect(lines.join('\n')).not.toContain('<*>')
  })

  it('ends where an exchange ends', async () => {
    const lines = (await readExample({ name: 'help' }))?.lines ?? []
    expect(fixture('help/names.session')).toContain(lines.join('\n'))
    expect(lines.at(-1)).not.toBe('')
  })
})

describe('the options of a command', () => {
  it('are explained when a batch form has them', async () => {
    const commands = await Promise.all(REGISTRY.map((entry) => entry.load()))
    const unexplained = commands.flatMap(({ name, forms = [], options = {} }) => {
      const used = forms.flatMap(({ usage }) => usage.match(/(?<=[\s[])--?[A-Za-z][\w-]*/g) ?? [])
      const known = new Set(Object.keys(options).map((option) => option.split(/[ =]/)[0]))
      return [...new Set(used)].filter((option) => !known.has(option)).map((option) => `${name} ${option}`)
    })
    expect(unexplained).toEqual([])
  })
})
