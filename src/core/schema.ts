import type * as v from 'valibot'
import { fail, ok } from './result.ts'
import type { Result } from './result.ts'

/** A valibot schema whose stored and used forms are the same type. */
export type Schema<T> = v.GenericSchema<T>

/** Reads operator input, prints itself back as a `[default]`, completes on TAB. Errors are one line that says what to do. */
export interface Field<T> {
  parse(text: string): Result<T>
  format(value: T): string
  complete?(part: string): readonly string[]
}

export const text = (options: { readonly required?: boolean; readonly max?: number } = {}): Field<string> => ({
  parse: (s) => {
    const t = s.trim()
    if (t === '' && options.required !== false) return fail('A value is required.')
    if (t.length > (options.max ?? 1024)) return fail(`The value must have at most ${options.max ?? 1024} characters.`)
    return ok(t)
  },
  format: (s) => s,
})

export const integer = (min: number, max: number): Field<number> => ({
  parse: (s) => {
    const t = s.trim()
    if (!/^[-+]?\d+$/.test(t)) return fail('The value must be a number.')
    const n = Number(t)
    return n >= min && n <= max ? ok(n) : fail(`The value must be an integer from ${min} to ${max}.`)
  },
  format: String,
})

export const yesNo: Field<boolean> = {
  parse: (s) => {
    const t = s.trim().toLowerCase()
    if (t === 'y' || t === 'yes') return ok(true)
    if (t === 'n' || t === 'no') return ok(false)
    return fail('Please answer Yes or No.')
  },
  format: (b) => (b ? 'Y' : 'N'),
}

export const oneOf = <K extends string>(words: readonly K[]): Field<K> => ({
  parse: (s) => {
    const t = s.trim().toLowerCase()
    const hit = words.find((w) => w.toLowerCase() === t)
    return hit === undefined ? fail(`The value must be one of: ${words.join(', ')}.`) : ok(hit)
  },
  format: (k) => k,
  complete: (part) => words.filter((w) => w.toLowerCase().startsWith(part.toLowerCase())),
})

/** Comma-separated values. */
export const list = <T>(item: Field<T>, options: { readonly min?: number } = {}): Field<readonly T[]> => ({
  parse: (s) => {
    const parts = s
      .split(',')
      .map((p) => p.trim())
      .filter((p) => p !== '')
    if (parts.length < (options.min ?? 1)) return fail('A value is required.')
    const out: T[] = []
    for (const part of parts) {
      const parsed = item.parse(part)
      if (!parsed.ok) return parsed
      out.push(parsed.value)
    }
    return ok(out)
  },
  format: (items) => items.map((i) => item.format(i)).join(', '),
})

const HOST_LABEL = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/
export const isHostname = (s: string): boolean =>
  s.length <= 253 && s.split('.').every((label) => HOST_LABEL.test(label))

export const hostname: Field<string> = {
  parse: (s) => {
    const t = s.trim().replace(/\.$/, '')
    return isHostname(t)
      ? ok(t)
      : fail('The hostname must have only letters, numbers, hyphens and dots. (Ex: mail3.example.com)')
  },
  format: (s) => s,
}

const ADDRESS = /^[^\s@<>()[\],;:"\\]+@(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+$/
export const emailAddress: Field<string> = {
  parse: (s) => {
    const t = s.trim()
    return ADDRESS.test(t) && t.length <= 254
      ? ok(t)
      : fail('The value must be an email address. (Ex: administrator@example.com)')
  },
  format: (s) => s,
}
