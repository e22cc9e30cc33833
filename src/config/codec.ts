import { errorText } from '../core/errors.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { checkValue, frozenCopy, valueErrorText } from './document.ts'
import type { AnySection, ConfigDocument } from './document.ts'
import { mapSecrets } from './secrets.ts'
import type { SecretBox } from './secrets.ts'

/** A section as a revision holds it. */
interface StoredSection {
  readonly version: number
  readonly value: unknown
}

export interface Decoded {
  readonly document: ConfigDocument
  /** Sections that this release does not know (written by another one): kept as they are in every later revision. */
  readonly foreign: Readonly<Record<string, StoredSection>>
  readonly warnings: readonly string[]
}

/** The JSON text of a revision: each section with its version, secrets encrypted. */
export const encodeDocument = (
  sections: readonly AnySection[],
  document: ConfigDocument,
  foreign: Readonly<Record<string, StoredSection>>,
  secrets: SecretBox,
): string => {
  const stored = sections.map((s): [string, StoredSection] => [
    s.name,
    { version: s.version, value: mapSecrets(s, document[s.name], (secret) => secrets.seal(secret)) },
  ])
  return JSON.stringify({ sections: { ...foreign, ...Object.fromEntries(stored) } })
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isStored = (value: unknown): value is StoredSection => isRecord(value) && typeof value['version'] === 'number'

/** A stored value brought to the section's version. */
export const migrate = (section: AnySection, stored: StoredSection): Result<unknown> => {
  if (stored.version > section.version)
    return fail(
      `section ${section.name} has version ${stored.version} and this release reads up to ${section.version}; ` +
        'start the release that wrote it',
    )
  let value = stored.value
  for (let version = stored.version; version < section.version; version++) {
    const step = section.migrations?.[version]
    if (!step) return fail(`section ${section.name} has version ${version}, which this release cannot bring forward`)
    value = step(value)
  }
  // A field that is new in this release starts with its default.
  return ok(isRecord(value) && isRecord(section.defaults) ? { ...(section.defaults as object), ...value } : value)
}

/** A secret that cannot be read is emptied, with a warning: one lost key file must not stop the mail. */
const openSecrets = (section: AnySection, value: unknown, secrets: SecretBox, warnings: string[]): unknown =>
  mapSecrets(section, value, (sealed, path, nullable) => {
    try {
      return secrets.open(sealed)
    } catch (error) {
      warnings.push(`The secret ${[section.name, ...path].join('.')} is unset: ${errorText(error)} Set it again.`)
      return nullable ? null : ''
    }
  })

const decodeSection = (
  section: AnySection,
  stored: unknown,
  secrets: SecretBox,
  warnings: string[],
): Result<unknown> => {
  if (stored === undefined) return ok(frozenCopy(section.defaults))
  if (!isStored(stored)) return fail(`section ${section.name} cannot be read`)
  try {
    const migrated = migrate(section, stored)
    if (!migrated.ok) return migrated
    const opened = openSecrets(section, migrated.value, secrets, warnings)
    const checked = checkValue(section, opened)
    if (!checked.ok) return fail(valueErrorText(section, checked.error))
    const lost = lostMembers(section.name, opened, checked.value)
    if (lost.length > 0)
      warnings.push(`This release does not know ${lost.join(', ')}: ignored, and still in the stored revision.`)
    return ok(checked.value)
  } catch (error) {
    return fail(`section ${section.name} cannot be brought forward: ${errorText(error)}`)
  }
}

const lostMembers = (path: string, before: unknown, after: unknown): readonly string[] => {
  if (typeof before !== 'object' || before === null || typeof after !== 'object' || after === null) return []
  return Object.entries(before).flatMap(([key, member]) =>
    key in after ? lostMembers(`${path}.${key}`, member, (after as Record<string, unknown>)[key]) : [`${path}.${key}`],
  )
}

/** Reads a revision: older sections are brought forward, every value is checked, secrets are decrypted. */
export const decodeDocument = (
  sections: readonly AnySection[],
  text: string | null,
  secrets: SecretBox,
): Result<Decoded> => {
  if (text === null) return fail('its checksum does not match')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return fail('it is not readable')
  }
  const stored = isRecord(parsed) ? parsed['sections'] : undefined
  if (!isRecord(stored)) return fail('it holds no sections')
  const warnings: string[] = []
  const document: Record<string, unknown> = {}
  for (const section of sections) {
    const value = decodeSection(section, stored[section.name], secrets, warnings)
    if (!value.ok) return value
    document[section.name] = value.value
  }
  const known = new Set(sections.map((s) => s.name))
  const foreign = Object.fromEntries(
    Object.entries(stored).filter((e): e is [string, StoredSection] => !known.has(e[0]) && isStored(e[1])),
  )
  return ok({ document, foreign, warnings })
}
