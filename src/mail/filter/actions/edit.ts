import { ArgumentReader, BadUse, patternOf, translate } from '../arguments.ts'
import { expand } from '../variables.ts'
import type { Action, ActionTable } from './action.ts'

const FIELD_NAME = /^[!-9;-~]{1,128}$/

/** Structure that an edit would break, or that receivers act on as ours (docs/filters.md). */
const PROTECTED = new Set(['content-type', 'content-transfer-encoding', 'mime-version', 'received'])

const fieldName = (args: ArgumentReader, forEdit: boolean): string => {
  const name = args.string('the name of a header')
  if (!FIELD_NAME.test(name))
    throw new BadUse(`'${name}' is no header name: printable ASCII without blanks and colons.`)
  if (forEdit && PROTECTED.has(name.toLowerCase()))
    throw new BadUse(`The header '${name}' cannot be changed by a filter.`)
  return name
}

const stamp = (where: 'heading' | 'footer'): Action => ({
  final: false,
  compile: (call) => {
    const args = new ArgumentReader(call.name, call.args)
    const text = args.string('a text')
    args.end()
    return ({ edit, facts, filter }) =>
      edit({ kind: 'body.stamp', where, text: expand(text, facts, filter.name), filter, action: call.name })
  },
})

/** Actions that change header or body. `add-heading-text` and `add-footer-text` are ours: the text stands in the filter. */
export const editActions: ActionTable = {
  'insert-header': {
    final: false,
    compile: (call) => {
      const args = new ArgumentReader(call.name, call.args)
      const name = fieldName(args, true)
      const value = args.string('a value')
      args.end()
      return ({ edit, facts, filter }) =>
        edit({ kind: 'header.insert', name, value: expand(value, facts, filter.name) })
    },
  },
  'strip-header': {
    final: false,
    compile: (call) => {
      const args = new ArgumentReader(call.name, call.args)
      const name = fieldName(args, true)
      args.end()
      return ({ edit }) => edit({ kind: 'header.strip', name })
    },
  },
  'edit-header-text': {
    final: false,
    compile: (call) => {
      const args = new ArgumentReader(call.name, call.args)
      const name = fieldName(args, true)
      const source = args.string('a regular expression')
      const replacement = args.string('a replacement')
      args.end()
      patternOf(source)
      return ({ edit, facts, filter }) =>
        edit({
          kind: 'header.edit',
          name,
          pattern: translate(source),
          replacement: expand(replacement, facts, filter.name),
        })
    },
  },
  'add-heading-text': stamp('heading'),
  'add-footer-text': stamp('footer'),
}
