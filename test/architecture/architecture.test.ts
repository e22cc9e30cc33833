import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REGISTRY } from '../../src/shell/registry.ts'
import { filesUnder, importsOf, root, sourceImports } from './imports.ts'
import type { Import } from './imports.ts'
import { HOMES, attachFaults, cycles, homeFaults, layerFaults, startupFaults } from './rules.ts'

const imports = sourceImports()
const planted = (from: string, text: string): readonly Import[] => importsOf(from, text)
const MAX_LINES = 500
/** One entry a command: it grows with them, and is one idea. */
const TABLE = 'src/shell/registry.ts'

describe('the tree', () => {
  it('keeps the layers', () => expect(layerFaults(imports)).toEqual([]))
  it('imports each package only at its home', () => expect(homeFaults(imports)).toEqual([]))
  it('has no run-time import cycle', () => expect(cycles(imports)).toEqual([]))
  it('attaches with node: modules only', () => expect(attachFaults(imports, 'src/transports/attach.ts')).toEqual([]))
  it('loads no heavy package at start-up', () => expect(startupFaults(imports, 'src/main.ts')).toEqual([]))

  it('gives every dependency of package.json a home', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
      optionalDependencies: Record<string, string>
    }
    expect(Object.keys({ ...dependencies, ...optionalDependencies }).sort()).toEqual(Object.keys(HOMES).sort())
  })

  it('has no file that is too long for one idea', () => {
    const long = filesUnder('src', '.ts').filter(
      (f) => f !== TABLE && readFileSync(join(root, f), 'utf8').split('\n').length > MAX_LINES,
    )
    expect(long).toEqual([])
  })
})

describe('the commands', () => {
  it('are sorted by name', () => {
    const names = REGISTRY.map((entry) => entry.name)
    expect(names).toEqual([...names].sort())
  })

  it.each(REGISTRY.map((entry) => [entry.name, entry] as const))(
    '%s is what the registry says',
    async (name, entry) => {
      const command = await entry.load()
      expect({ name: command.name, summary: command.summary, roles: command.roles }).toEqual({
        name,
        summary: entry.summary,
        roles: entry.roles,
      })
    },
  )

  it.each(REGISTRY.map((entry) => entry.name))('%s has a recorded session and a page', (name) => {
    expect(filesUnder(`fixtures/sessions/${name}`, '.session')).not.toEqual([])
    expect(existsSync(join(root, `docs/commands/${name}.md`))).toBe(true)
  })
})

describe('the rules', () => {
  it('see an import against the layers, also of a type and also a dynamic one', () => {
    expect(layerFaults(planted('src/core/a.ts', "import { b } from '../shell/b.ts'"))).toHaveLength(1)
    expect(layerFaults(planted('src/core/a.ts', "import type { B } from '../config/b.ts'"))).toHaveLength(1)
    expect(layerFaults(planted('src/mail/a.ts', "const b = await import('../services/b.ts')"))).toHaveLength(1)
    expect(layerFaults(planted('src/mail/a.ts', "type B = import('../shell/b.ts').B"))).toHaveLength(1)
    expect(layerFaults(planted('src/shell/a.ts', "import type { B } from '../core/b.ts'"))).toEqual([])
  })

  it('see rooms of one level that import each other', () =>
    expect(layerFaults(planted('src/logs/a.ts', "import type { B } from '../store/b.ts'"))).toHaveLength(1))

  it('let only main import adapters, and adapters only types of the rooms', () => {
    expect(layerFaults(planted('src/shell/a.ts', "import { b } from '../adapters/sqlite/b.ts'"))).toHaveLength(1)
    expect(layerFaults(planted('src/main/a.ts', "import { b } from '../adapters/sqlite/b.ts'"))).toEqual([])
    expect(layerFaults(planted('src/adapters/http/a.ts', "import type { B } from '../../retro/b.ts'"))).toEqual([])
    expect(layerFaults(planted('src/adapters/http/a.ts', "import { b } from '../../retro/b.ts'"))).toHaveLength(1)
    expect(layerFaults(planted('src/adapters/http/a.ts', "import { b } from '../sqlite/b.ts'"))).toHaveLength(1)
  })

  it('see a package away from its home, and one without a home', () => {
    expect(homeFaults(planted('src/mail/a.ts', "import { request } from 'undici'"))).toHaveLength(1)
    expect(homeFaults(planted('src/mail/a.ts', "import left from '@left/pad/sub'"))).toHaveLength(1)
    expect(homeFaults(planted('src/adapters/http/a.ts', "import { request } from 'undici'"))).toEqual([])
  })

  it('see a cycle of values, but none through a type or a dynamic import', () => {
    const back = planted('src/core/b.ts', "import { a } from './a.ts'")
    expect(cycles([...planted('src/core/a.ts', "export * from './b.ts'"), ...back])).toEqual([
      'src/core/a.ts → src/core/b.ts → src/core/a.ts',
    ])
    expect(cycles([...planted('src/core/a.ts', "import type { B } from './b.ts'"), ...back])).toEqual([])
    expect(cycles([...planted('src/core/a.ts', "await import('./b.ts')"), ...back])).toEqual([])
  })

  it('follow the imports of an entry', () => {
    const tree = [
      ...planted('src/main.ts', "import { a } from './core/a.ts'"),
      ...planted('src/core/a.ts', "import { request } from 'undici'\nimport fs from 'node:fs'"),
    ]
    expect(startupFaults(tree, 'src/main.ts')).toHaveLength(1)
    expect(attachFaults(tree, 'src/main.ts')).toHaveLength(1)
    expect(attachFaults(planted('src/main.ts', "await import('undici')"), 'src/main.ts')).toEqual([])
  })
})
