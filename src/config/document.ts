import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { printableCut } from '../core/text.ts'
import type { ConfigReader, ConfigSection } from './section.ts'

/** A whole configuration: section name → value. Values are frozen all the way down. */
export type ConfigDocument = Readonly<Record<string, unknown>>

/** Sections of any value type; each value is only ever handed to the section that it came from. */
export type AnySection = ConfigSection<never>

export const readerOf = (document: () => ConfigDocument): ConfigReader => ({
  get: <T>(section: ConfigSection<T>): T => (document()[section.name] ?? section.defaults) as T,
})

export const sameValue = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b)

/** A private frozen copy, in the form that a revision can store (-0 becomes 0). */
export const frozenCopy = (value: unknown): unknown => freeze(JSON.parse(JSON.stringify(value)) as unknown)

const freeze = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}

export const defaultDocument = (sections: readonly AnySection[]): ConfigDocument =>
  Object.fromEntries(sections.map((s) => [s.name, frozenCopy(s.defaults)]))

export interface ValueError {
  /** Keys and indices from the section's value down. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Checks a value against its section's schema; the value that comes back has no unknown members. */
export const checkValue = (section: AnySection, value: unknown): Result<unknown, readonly ValueError[]> => {
  const result = v.safeParse(section.schema, value)
  if (result.success) return ok(frozenCopy(result.output))
  return fail(
    result.issues.map((issue) => ({
      path: (issue.path ?? []).map((step) => step.key as string | number),
      message: printableCut(issue.message, 200),
    })),
  )
}

/** `listeners.0.port: Invalid value …`: where and why, on one line. */
export const valueErrorText = (section: AnySection, errors: readonly ValueError[]): string =>
  errors.map((e) => `${[section.name, ...e.path].join('.')}: ${e.message}`).join('; ')
