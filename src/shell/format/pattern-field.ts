import { compilePattern } from '../../core/regex.ts'
import { fail, ok } from '../../core/result.ts'
import type { Field } from '../../core/schema.ts'

/** A regular expression, checked when it is typed; blanks around it belong to it. */
export const patternField: Field<string> = {
  parse: (text) => {
    if (text === '') return fail('A value is required.')
    const pattern = compilePattern(text)
    return pattern.ok ? ok(text) : pattern
  },
  format: (text) => text,
}
