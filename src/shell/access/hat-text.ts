import { parseHostEntry } from '../../config/host-entries.ts'
import { BEHAVIOURS, plainPolicy } from '../../config/sections/host-access.ts'
import type { Behaviour, HostAccess, MailFlowPolicy, SenderGroup } from '../../config/sections/host-access.ts'
import { PARAMETERS } from './parameters.ts'

/* The Host Access Table as text: what PRINT shows, EXPORT writes and IMPORT reads. */

const printPolicy = (policy: MailFlowPolicy): readonly string[] => {
  const own = PARAMETERS.flatMap(({ key, word, field }) => {
    const value = policy[key]
    if (value === null) return []
    return [`        ${word} = ${typeof value === 'number' ? value : `"${field.format(value)}"`}`]
  })
  return [
    `$${policy.name}`,
    ...(own.length === 0 ? [`    ${policy.behaviour}`] : [`    ${policy.behaviour} {`, ...own, '    }']),
  ]
}

/** `name:`, its hosts, then the policy with the comment. */
export const printGroup = (group: SenderGroup): readonly string[] => [
  `${group.name}:`,
  ...group.hosts.map((h) => `    ${h}`),
  `        ${group.policy}${group.comment === '' ? '' : ` (${group.comment})`}`,
]

export const printHostAccess = (table: HostAccess): readonly string[] => [
  ...table.policies.flatMap(printPolicy),
  ...table.groups.flatMap(printGroup),
  'ALL',
  `    ${table.otherwise}`,
]

export interface LineError {
  readonly line: number
  readonly message: string
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const POLICY_LINE = new RegExp(String.raw`^(\$[A-Za-z0-9_-]{1,64}|${BEHAVIOURS.join('|')})(?:\s+\((.*)\))?$`)
const behaviour = (word: string): Behaviour | undefined => BEHAVIOURS.find((b) => b === word)

/** What the reader is inside of. */
type Inside =
  | { readonly kind: 'nothing' | 'otherwise' }
  | { readonly kind: 'policy'; readonly name: string; readonly at: number }
  | { readonly kind: 'parameters'; readonly at: number }
  | { readonly kind: 'group'; readonly name: string; readonly hosts: string[]; readonly at: number }

class HatReader {
  readonly errors: LineError[] = []
  readonly policies: MailFlowPolicy[] = []
  readonly groups: SenderGroup[] = []
  otherwise: string | null = null
  #inside: Inside = { kind: 'nothing' }
  #line = 0
  /** Policies are known at the end of the file only. */
  readonly #references: { readonly where: string; readonly policy: string; readonly line: number }[] = []

  read(text: string): void {
    for (const raw of text.split(/\r?\n/)) {
      this.#line++
      const line = raw.trim()
      if (line === '' || line.startsWith('#')) continue
      if (this.#inside.kind === 'parameters') this.#parameter(line)
      else if (/^\s/.test(raw)) this.#indented(line)
      else this.#head(line)
    }
    this.#complete()
    for (const { where, policy, line } of this.#references) this.#known(where, policy, line)
  }

  #error(message: string, line = this.#line): void {
    this.errors.push({ line, message })
  }

  #known(where: string, policy: string, line: number): void {
    if (policy.startsWith('$') && !this.policies.some((p) => `$${p.name}` === policy))
      this.#error(`${where} names the policy ${policy}, which the file does not define.`, line)
  }

  /** The last policy or group must have had its end. */
  #complete(): void {
    const inside = this.#inside
    this.#inside = { kind: 'nothing' }
    if (inside.kind === 'policy') this.#error(`The policy $${inside.name} has no behaviour.`, inside.at)
    if (inside.kind === 'parameters') this.#error('The parameters that begin here have no closing }.', inside.at)
    if (inside.kind === 'group') this.#error(`The sender group ${inside.name} has no policy.`, inside.at)
  }

  #head(line: string): void {
    this.#complete()
    if (line === 'ALL') this.#inside = { kind: 'otherwise' }
    else if (line.startsWith('$') && NAME.test(line.slice(1))) {
      const name = line.slice(1)
      if (this.policies.some((p) => p.name === name)) this.#error(`The policy ${line} is defined twice.`)
      this.#inside = { kind: 'policy', name, at: this.#line }
    } else if (line.endsWith(':') && NAME.test(line.slice(0, -1))) {
      const name = line.slice(0, -1)
      if (this.groups.some((g) => g.name === name)) this.#error(`The sender group ${name} is defined twice.`)
      this.#inside = { kind: 'group', name, hosts: [], at: this.#line }
    } else this.#error('A line at the margin must be $POLICY, GROUP: or ALL. Indent the entries of a group.')
  }

  #indented(line: string): void {
    const inside = this.#inside
    const [, reference, comment = ''] = POLICY_LINE.exec(line) ?? []
    if (inside.kind === 'policy') return this.#behaviour(inside.name, line)
    if (inside.kind === 'otherwise') {
      if (reference === undefined) return this.#error('ALL needs a policy or a behaviour.')
      this.otherwise = reference
      this.#references.push({ where: 'ALL', policy: reference, line: this.#line })
      this.#inside = { kind: 'nothing' }
    } else if (inside.kind === 'group') {
      if (reference === undefined) return this.#hosts(inside.hosts, line)
      this.#references.push({ where: inside.name, policy: reference, line: this.#line })
      this.groups.push({ name: inside.name, hosts: inside.hosts, policy: reference, comment: comment.slice(0, 255) })
      this.#inside = { kind: 'nothing' }
    } else this.#error('This line belongs to no policy and no sender group.')
  }

  #behaviour(name: string, line: string): void {
    const [, word = '', brace] = /^(\S+?)\s*(\{)?$/.exec(line) ?? []
    const found = behaviour(word)
    if (!found) return this.#error(`A behaviour must be one of: ${BEHAVIOURS.join(', ')}.`)
    this.policies.push(plainPolicy(name, found))
    this.#inside = brace === undefined ? { kind: 'nothing' } : { kind: 'parameters', at: this.#line }
  }

  #parameter(line: string): void {
    if (line === '}') {
      this.#inside = { kind: 'nothing' }
      return
    }
    const [, word = '', quoted, plain] = /^(\w+)\s*=\s*(?:"([^"]*)"|(-?\w+))$/.exec(line) ?? []
    const parameter = PARAMETERS.find((p) => p.word === word)
    if (!parameter) return this.#error(`A parameter must be one of: ${PARAMETERS.map((p) => p.word).join(', ')}.`)
    const value = parameter.field.parse(quoted ?? plain ?? '')
    if (!value.ok) return this.#error(`${word}: ${value.error}`)
    this.policies.push({ ...(this.policies.pop() as MailFlowPolicy), [parameter.key]: value.value })
  }

  #hosts(hosts: string[], line: string): void {
    for (const typed of line.split(',').filter((h) => h.trim() !== '')) {
      const entry = parseHostEntry(typed)
      if (entry.ok) hosts.push(entry.value.text)
      else this.#error(entry.error)
    }
  }
}

/** Reads a table; every finding has its line, and one finding refuses the whole. */
export const readHostAccess = (
  text: string,
):
  { readonly ok: true; readonly table: HostAccess } | { readonly ok: false; readonly errors: readonly LineError[] } => {
  const reader = new HatReader()
  reader.read(text)
  const { errors, policies, groups } = reader
  if (errors.length > 0) return { ok: false, errors: [...errors].sort((a, b) => a.line - b.line) }
  if (reader.otherwise === null) return { ok: false, errors: [{ line: 1, message: 'The table has no entry ALL.' }] }
  return { ok: true, table: { policies, groups, otherwise: reader.otherwise } }
}
