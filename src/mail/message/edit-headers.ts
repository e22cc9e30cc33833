import { compilePattern } from '../../core/regex.ts'
import type { HeaderEdit } from '../pipeline/stage.ts'
import { decodeHeader, encodeHeader } from './encoded-words.ts'
import type { HeaderField } from './parsed.ts'

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

const firstWordIs = (field: HeaderField, word: string): boolean =>
  /^\s*(?:\([^()]*\)\s*)*([^\s;()]+)/.exec(field.value)?.[1]?.toLowerCase() === word.toLowerCase()

const newField = (name: string, value: string): HeaderField => {
  const raw = ` ${encodeHeader(name, value)}`
  return { name, raw, value: decodeHeader(raw) }
}

/**
 * One header edit on the list of fields, as filters see it and as it is written out: fields that are not touched stay
 * the same objects. New fields go to the end of the header.
 */
export const editFields = <F extends HeaderField>(
  fields: readonly (F | HeaderField)[],
  edit: HeaderEdit,
): readonly (F | HeaderField)[] => {
  if (edit.kind === 'header.insert') return [...fields, newField(edit.name, edit.value)]
  if (edit.kind === 'header.strip')
    return fields.filter(
      (f) => !sameName(f.name, edit.name) || (edit.identifiedBy !== undefined && !firstWordIs(f, edit.identifiedBy)),
    )
  const pattern = compilePattern(edit.pattern)
  if (!pattern.ok) return fields
  return fields.map((f) => {
    if (!sameName(f.name, edit.name)) return f
    const value = pattern.value.replace(f.value, edit.replacement)
    return value === f.value ? f : newField(f.name, value)
  })
}
