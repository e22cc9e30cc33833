import { errorText } from '../core/errors.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { printableCut } from '../core/text.ts'
import { migrate } from './codec.ts'
import { verifyDocument } from './commit.ts'
import { MASK } from './diff.ts'
import { checkValue } from './document.ts'
import type { AnySection, ConfigDocument } from './document.ts'
import { itemWord } from './export.ts'
import type { Keys, SecretBox } from './secrets.ts'
import { fieldWord, shapeOf } from './shape.ts'
import type { Shape } from './shape.ts'
import { parseXml } from './xml.ts'
import type { XmlElement } from './xml.ts'
import type { LineError } from './store.ts'

export interface Loaded {
  readonly section: AnySection
  readonly value: unknown
}

const NUMBER = /^-?\d{1,400}(\.\d{1,400})?([eE][-+]?\d{1,4})?$/

/** Findings of one section; nobody reads more, and a hostile file has one for each of its elements. */
const MAX_ERRORS = 1000
class TooMany extends Error {}

/** Reads one section's element by its schema and remembers the line of every value. */
class SectionReader {
  readonly errors: LineError[] = []
  readonly #lines = new Map<string, number>()
  readonly #secrets: SecretBox

  /** `older`: written by a release that did not know all of today's elements. */
  readonly #older: boolean

  constructor(secrets: SecretBox, older: boolean) {
    this.#secrets = secrets
    this.#older = older
  }

  /** The line of the value at `path`, or of the nearest value around it. */
  lineOf(path: Keys): number {
    for (let length = path.length; length >= 0; length--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, length)))
      if (line !== undefined) return line
    }
    return 1
  }

  read(shape: Shape, element: XmlElement, path: Keys, known: readonly string[] = []): unknown {
    this.#lines.set(JSON.stringify(path), element.line)
    if (shape.kind === 'nullable') {
      if (element.attributes['nil'] === undefined) return this.read(shape.wrapped, element, path, known)
      this.#attributes(element, [...known, 'nil'])
      if (element.attributes['nil'] !== 'true' || element.text.trim() !== '' || element.children.length > 0)
        this.#error(element, 'must be empty with nil="true", or have a value and no nil')
      return null
    }
    if (shape.kind === 'object') return this.#object(shape.entries, element, path, known)
    if (shape.kind === 'array') return this.#array(shape.item, element, path, known)
    return this.#scalar(shape, element, known)
  }

  #error(element: XmlElement, message: string): void {
    if (this.errors.length >= MAX_ERRORS) throw new TooMany()
    this.errors.push({ line: element.line, message: `<${element.name}> ${message}` })
  }

  #attributes(element: XmlElement, known: readonly string[]): void {
    for (const name of Object.keys(element.attributes))
      if (!known.includes(name)) this.#error(element, `has the unknown attribute ${printableCut(name, 40)}`)
  }

  #noText(element: XmlElement, known: readonly string[]): void {
    this.#attributes(element, known)
    if (element.text.trim() !== '') this.#error(element, 'holds text where only elements may stand')
  }

  #array(item: Shape, element: XmlElement, path: Keys, known: readonly string[]): unknown {
    this.#noText(element, known)
    const word = itemWord(element.name)
    return element.children.map((child, i) => {
      if (child.name !== word) this.#error(child, `stands in <${element.name}>, which holds only <${word}>`)
      return this.read(item, child, [...path, i])
    })
  }

  #object(
    entries: Readonly<Record<string, Shape>>,
    element: XmlElement,
    path: Keys,
    known: readonly string[],
  ): unknown {
    this.#noText(element, known)
    const words = new Map(Object.keys(entries).map((key) => [fieldWord(key), key]))
    const value: Record<string, unknown> = {}
    for (const child of element.children) {
      const key = words.get(child.name)
      if (key === undefined) this.#error(child, `is not known in <${element.name}>`)
      else if (key in value) this.#error(child, `stands twice in <${element.name}>`)
      else value[key] = this.read(entries[key] as Shape, child, [...path, key])
    }
    // What an older release did not know is added as the section's migrations say; what is missing then is told.
    if (!this.#older) for (const [word, key] of words) if (!(key in value)) this.#error(element, `lacks <${word}>`)
    return value
  }

  #scalar(
    shape: Exclude<Shape, { readonly kind: 'object' | 'array' | 'nullable' }>,
    element: XmlElement,
    known: readonly string[],
  ): unknown {
    const isText = shape.kind === 'string'
    this.#attributes(element, [
      ...known,
      ...(isText ? ['encoding'] : []),
      ...(isText && shape.secret ? ['secret'] : []),
    ])
    if (element.children.length > 0) this.#error(element, 'must hold a value and no elements')
    const word = element.text.trim()
    switch (shape.kind) {
      case 'boolean':
        if (word !== 'true' && word !== 'false') this.#error(element, 'must be true or false')
        return word === 'true'
      case 'number':
        if (!NUMBER.test(word)) this.#error(element, 'must be a number')
        return Number(word)
      case 'picklist':
        if (!shape.options.includes(word)) this.#error(element, `must be one of: ${shape.options.join(', ')}`)
        return word
      case 'string':
        return shape.secret ? this.#secret(element) : this.#text(element)
    }
  }

  #text(element: XmlElement): string {
    if (element.attributes['encoding'] === undefined) return element.text
    try {
      const decoded: unknown = JSON.parse(element.text)
      if (element.attributes['encoding'] === 'json' && typeof decoded === 'string') return decoded
    } catch {
      // Reported below, as every other wrong encoding.
    }
    this.#error(element, 'must hold one JSON string when it has encoding="json", the only encoding there is')
    return ''
  }

  #secret(element: XmlElement): string {
    const how = element.attributes['secret']
    const text = this.#text(element)
    if (how === 'masked' || text.trim() === MASK) {
      this.#error(
        element,
        'is masked: a file with masked passphrases cannot be loaded. Save it with encrypted passphrases, or write the passphrase in its place',
      )
      return ''
    }
    if (how === undefined) return text
    try {
      if (how === 'encrypted') return this.#secrets.open(text)
      this.#error(element, 'must have secret="encrypted", or no such attribute around plain text')
    } catch (error) {
      this.#error(element, `cannot be decrypted. ${errorText(error)}`)
    }
    return ''
  }
}

/** A step that finds another shape than the one it was written for leaves the value to the check. */
const broughtForward = (section: AnySection, version: number, value: unknown): unknown => {
  try {
    const migrated = migrate(section, { version, value })
    return migrated.ok ? migrated.value : value
  } catch {
    return value
  }
}

const readSection = (section: AnySection, element: XmlElement, secrets: SecretBox, errors: LineError[]): Loaded[] => {
  const version = element.attributes['version'] ?? String(section.version)
  const older = /^[1-9]\d{0,3}$/.test(version) && Number(version) < section.version
  if (!older && version !== String(section.version)) {
    const message = `<${element.name}> has version ${printableCut(version, 20)}; this release loads version ${section.version}`
    errors.push({ line: element.line, message })
    return []
  }
  const reader = new SectionReader(secrets, older)
  let value: unknown
  try {
    value = reader.read(shapeOf(section.schema), element, [], ['version'])
    if (older && reader.errors.length === 0) value = broughtForward(section, Number(version), value)
  } catch (error) {
    if (!(error instanceof TooMany)) throw error
  }
  for (const error of reader.errors) errors.push(error)
  if (reader.errors.length >= MAX_ERRORS) return []
  const told = new Set(reader.errors.map((e) => e.line))
  const checked = checkValue(section, value)
  if (checked.ok) return told.size === 0 ? [{ section, value: checked.value }] : []
  for (const { path, message } of checked.error) {
    const line = reader.lineOf(path)
    // An element that could not be read, or one that lacks a member, has been told already.
    if (!told.has(line)) errors.push({ line, message: `${[section.name, ...path].map(wordOf).join('.')}: ${message}` })
  }
  return []
}

const wordOf = (key: string | number): string => (typeof key === 'number' ? String(key + 1) : fieldWord(key))

/**
 * Reads a configuration file: all sections or some. Either every value is good, by its schema and together with the
 * sections that `base` holds, or nothing is loaded and every finding has its line.
 */
export const importDocument = (
  sections: readonly AnySection[],
  base: ConfigDocument,
  text: string,
  secrets: SecretBox,
): Result<readonly Loaded[], readonly LineError[]> => {
  const parsed = parseXml(text)
  if (!parsed.ok) return fail([parsed.error])
  const root = parsed.value
  if (root.name !== 'config')
    return fail([{ line: root.line, message: `<${root.name}> stands where <config> is needed` }])
  const errors: LineError[] = []
  const lines = new Map<string, number>()
  const loaded = root.children.flatMap((element) => {
    const section = sections.find((s) => s.name === element.name)
    const twice = lines.has(element.name)
    lines.set(element.name, element.line)
    if (section && !twice) return readSection(section, element, secrets, errors)
    const message = section
      ? `<${element.name}> stands twice`
      : `<${element.name}> is not a section that this release knows`
    errors.push({ line: element.line, message })
    return []
  })
  if (root.text.trim() !== '')
    errors.push({ line: root.line, message: '<config> holds text where only sections may stand' })
  if (root.children.length === 0) errors.push({ line: root.line, message: '<config> holds no section' })
  if (errors.length === 0) {
    const whole = { ...base, ...Object.fromEntries(loaded.map((l) => [l.section.name, l.value])) }
    for (const issue of verifyDocument(sections, whole))
      if (issue.severity === 'error')
        errors.push({ line: lines.get(issue.path.split('.')[0] ?? '') ?? root.line, message: issue.message })
  }
  return errors.length > 0 ? fail(errors.sort((a, b) => a.line - b.line)) : ok(loaded)
}
