import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROLES } from '../../src/config/sections/users.ts'
import type { Command, CommandEntry, Role } from '../../src/shell/command.ts'
import { EVERYONE } from '../../src/shell/command.ts'
import { readExample } from '../../src/shell/example.ts'
import { REGISTRY } from '../../src/shell/registry.ts'
import { usageOf } from '../../src/shell/run.ts'
import { root } from './root.ts'

/* docs/commands from the declarations, the recorded sessions, and what docs/commands/notes adds by hand. */

const NOTES = 'docs/commands/notes'
const notes = (name: string): string => {
  const file = join(root, NOTES, `${name}.md`)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}

const roles = (command: Command): string => {
  const stagesOnly = command.needsCommit && command.roles.includes('readonly')
  const named = stagesOnly ? command.roles.filter((role) => role !== 'readonly') : command.roles
  const list = named.length === EVERYONE.length ? 'everyone' : named.join(', ')
  return `Roles: ${list}${stagesOnly ? '; a read-only operator may stage changes' : ''}.`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

const page = async (entry: CommandEntry): Promise<string> => {
  const command = await entry.load()
  const example = await readExample(command)
  const options = Object.entries(command.options ?? {})
  const parts = [
    `# ${command.name}`,
    `${command.description}${entry.aliases === undefined ? '' : ` Also: ${entry.aliases.map((a) => `\`${a}\``).join(', ')}.`}`,
    '## Syntax',
    usageOf(command)
      .map((usage) => `- \`${usage}\``)
      .join('\n'),
    ...(options.length === 0
      ? []
      : [
          '## Options',
          [
            '| option | meaning |',
            '| --- | --- |',
            ...options.map(([option, about]) => `| \`${cell(option)}\` | ${cell(about)} |`),
          ].join('\n'),
        ]),
    '## Commit and roles',
    `${command.needsCommit ? 'Its changes act after a commit.' : 'No commit.'} ${roles(command)}`,
    ...(notes(command.name) === '' ? [] : ['## Notes', notes(command.name)]),
    ...(example === null
      ? []
      : ['## Example', `From \`fixtures/sessions/${example.file}\`:`, ['```', ...example.lines, '```'].join('\n')]),
  ]
  return `${parts.join('\n\n')}\n`
}

const CATEGORIES: readonly Command['category'][] = ['configure', 'monitor', 'diagnose', 'system']

const index = (commands: readonly Command[]): string => {
  const rows = (category: Command['category']): string =>
    commands
      .filter((command) => command.category === category)
      .map(({ name, summary }) => `| [${name}](${name}.md) | ${cell(summary)} |`)
      .join('\n')
  const title = (category: string): string => category.charAt(0).toUpperCase() + category.slice(1)
  const tables = CATEGORIES.map((c) => `## ${title(c)}\n| command | |\n| --- | --- |\n${rows(c)}`)
  return `${notes('README')}\n\n${tables.join('\n\n')}\n`
}

/** What each role may run, from the declarations: a change to it shows in review. */
const roleTable = (commands: readonly Command[]): string => {
  const mark = (command: Command, role: Role): string =>
    !command.roles.includes(role) ? '' : role === 'readonly' && command.needsCommit ? 'stages' : 'yes'
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    '# Who may run what',
    '',
    'Commands that a role lacks do not exist for it: not in `help`, not for TAB, not in a script. Operators change nothing about users and',
    'access, whatever the command; read-only operators stage changes, but neither commit nor write files.',
    '',
    row(['command', ...ROLES]),
    row(['---', ...ROLES.map(() => '---')]),
    ...commands.map((command) => row([`[${command.name}](${command.name}.md)`, ...ROLES.map((r) => mark(command, r))])),
    '',
  ].join('\n')
}

/** File name below docs/commands → text. */
export const commandPages = async (): Promise<ReadonlyMap<string, string>> => {
  const commands = await Promise.all(REGISTRY.map((entry) => entry.load()))
  const pages = await Promise.all(
    REGISTRY.map(async (entry): Promise<[string, string]> => [`${entry.name}.md`, await page(entry)]),
  )
  return new Map([['README.md', index(commands)], ['roles.md', roleTable(commands)], ...pages])
}
