import { readFile, readdir } from 'node:fs/promises'
import type { Command } from './command.ts'

export interface Example {
  /** `status/status.session`, below `fixtures/sessions`. */
  readonly file: string
  readonly lines: readonly string[]
}

/** In the source tree; the bundle has the recordings beside it (test/support/build.mjs). */
const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../../fixtures/sessions/' : './sessions/', import.meta.url)
/** An example shows how a command is used; who wants the whole dialogue runs it. */
const MAX_LINES = 40
const MIN_LINES = 4
/** What comes before the command itself, such as the making of what it shows. */
const MAX_LEAD = 20

/** The beginning of a recording of the command: whole exchanges as far as they fit. null = nothing is recorded. */
export const readExample = async (command: Pick<Command, 'name' | 'example'>): Promise<Example | null> => {
  const cases = await readdir(new URL(`${command.name}/`, FOLDER)).catch(() => [])
  const recorded = cases.filter((name) => name.endsWith('.session')).sort()
  const chosen = command.example === undefined ? recorded[0] : `${command.example}.session`
  if (chosen === undefined || !recorded.includes(chosen)) return null
  const file = `${command.name}/${chosen}`
  return { file, lines: excerpt(await readFile(new URL(file, FOLDER), 'utf8'), command.name) }
}

/** Settings of the recording are left out, what leads to the command too when it is long, and `<*>` (any text) reads `...`. */
const excerpt = (text: string, name: string): readonly string[] => {
  const lines = text.split('\n').map((line) => line.trimEnd().replaceAll('<*>', '...'))
  while (/^# [a-z]+: /.test(lines[0] ?? '') || lines[0] === '') lines.shift()
  while (lines.at(-1) === '') lines.pop()
  const prompt = lines[0]?.split('> ')[0] ?? ''
  const first = lines.findIndex((line) => new RegExp(`> ${name}(?:[ ;]|$)`, 'i').test(line))
  if (first > MAX_LEAD) lines.splice(0, first)
  if (lines.length <= MAX_LINES) return lines
  const isCommand = (i: number): boolean => lines[i]?.startsWith(`${prompt}> `) === true
  let end = MAX_LINES
  while (end > MIN_LINES && !(isCommand(end) && lines[end - 1] === '')) end--
  return end > MIN_LINES ? lines.slice(0, end - 1) : [...lines.slice(0, MAX_LINES), '...']
}
