import { UserError } from '../core/errors.ts'
import { diffSection } from './diff.ts'
import { checkValue, frozenCopy, sameValue, valueErrorText } from './document.ts'
import type { AnySection, ConfigDocument } from './document.ts'
import type { Change, ConfigDraft, ConfigSection } from './section.ts'

/** The configuration that runs now, and the newest revision on record. */
export interface Head {
  readonly document: ConfigDocument
  readonly revision: number
}

/** A section as this session first saw it, and as it stands here now. */
export interface Pin {
  readonly section: AnySection
  readonly base: unknown
  /** The newest revision when the section was first read. */
  readonly since: number
  readonly value: unknown
}

/**
 * A session's uncommitted copy. A section is pinned when it is first read, not when it is written: what somebody else
 * commits while a dialogue waits for an answer is then a conflict and is not overwritten. Unread sections follow the
 * running configuration.
 */
export class SectionDraft implements ConfigDraft {
  readonly #head: () => Head
  readonly #pins = new Map<string, Pin>()

  constructor(head: () => Head) {
    this.#head = head
  }

  get<T>(section: ConfigSection<T>): T {
    return this.#pin(section as unknown as AnySection).value as T
  }

  /** @throws UserError when the value does not fit the section's schema; the draft is unchanged then. */
  set<T>(section: ConfigSection<T>, value: T): void {
    const any = section as unknown as AnySection
    const checked = checkValue(any, value)
    if (!checked.ok) throw new UserError(`The value cannot be used: ${valueErrorText(any, checked.error)}`)
    this.#pins.set(section.name, { ...this.#pin(any), value: checked.value })
  }

  changes(): readonly Change[] {
    return this.staged().flatMap((pin) => diffSection(pin.section, pin.base, pin.value))
  }

  get dirty(): boolean {
    return this.staged().length > 0
  }

  clear(section?: string): void {
    if (section === undefined) this.#pins.clear()
    else this.#pins.delete(section)
  }

  refresh(): void {
    for (const [name, pin] of this.#pins) if (sameValue(pin.base, pin.value)) this.#pins.delete(name)
  }

  staged(): readonly Pin[] {
    return [...this.#pins.values()].filter((pin) => !sameValue(pin.base, pin.value))
  }

  #pin(section: AnySection): Pin {
    const known = this.#pins.get(section.name)
    if (known) return known
    const { document, revision } = this.#head()
    const value = document[section.name] ?? frozenCopy(section.defaults)
    const pin = { section, base: value, since: revision, value }
    this.#pins.set(section.name, pin)
    return pin
  }
}
