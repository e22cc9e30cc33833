import { printable } from './text.ts'

/**
 * Renders a real request or answer the way AsyncOS logs it: Python dictionaries and protobuf text.
 * Source: the `ecs` and `url_rep_client` logs in reference/url-retrospective-verdict.txt.
 */

/** A number that Python prints with a fraction (`1648599627.0`), although JavaScript has one number type. */
export class PyFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export type PyValue =
  string | number | boolean | null | PyFloat | readonly PyValue[] | { readonly [key: string]: PyValue | undefined }

/** What stands between quotes as it is: most texts. */
const PLAIN = /^[\u0020-\u0026\u0028-\u005b\u005d-\u007e]*$/

const quote = (s: string): string => {
  if (PLAIN.test(s)) return `'${s}'`
  const body = printable(s.replaceAll('\\', '\\\\'))
  return body.includes("'") && !body.includes('"') ? `"${body}"` : `'${body.replaceAll("'", "\\'")}'`
}

const isList = (v: PyValue): v is readonly PyValue[] => Array.isArray(v)

/** Python's repr(): `{'retros': [], 'more': False}`. Undefined members are left out. */
export const pyRepr = (value: PyValue): string => {
  if (value === null) return 'None'
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (value instanceof PyFloat) return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value)
  if (isList(value)) return `[${value.map(pyRepr).join(', ')}]`
  let members = ''
  for (const [k, v] of Object.entries(value))
    if (v !== undefined) members += `${members === '' ? '' : ', '}${quote(k)}: ${pyRepr(v)}`
  return `{${members}}`
}

/** A protobuf enum member prints without quotes. */
export class ProtoEnum {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export type ProtoValue =
  string | number | boolean | ProtoEnum | readonly ProtoValue[] | { readonly [key: string]: ProtoValue | undefined }

const isRepeated = (v: ProtoValue): v is readonly ProtoValue[] => Array.isArray(v)

/** Protobuf text format, two blanks a level, one field a line; repeated fields repeat their name. */
export const protoText = (message: { readonly [key: string]: ProtoValue | undefined }, indent = ''): string =>
  Object.entries(message)
    .flatMap(([key, value]) => {
      if (value === undefined) return []
      return (isRepeated(value) ? value : [value]).map((item) => protoField(key, item, indent))
    })
    .join('')

const protoField = (key: string, value: ProtoValue, indent: string): string => {
  if (typeof value === 'string')
    return `${indent}${key}: "${printable(value.replaceAll('\\', '\\\\')).replaceAll('"', '\\"')}"\n`
  if (typeof value === 'number' || typeof value === 'boolean') return `${indent}${key}: ${String(value)}\n`
  if (value instanceof ProtoEnum) return `${indent}${key}: ${value.name}\n`
  if (isRepeated(value)) return value.map((v) => protoField(key, v, indent)).join('')
  return `${indent}${key} {\n${protoText(value, `${indent}  `)}${indent}}\n`
}
