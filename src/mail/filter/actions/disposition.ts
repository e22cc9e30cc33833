import { ArgumentReader, BadUse } from '../arguments.ts'
import type { ActionCall } from '../ast.ts'
import type { Resources } from '../resources.ts'
import { expandPrintable } from '../variables.ts'
import type { Act, Action, ActionTable } from './action.ts'

const withoutArguments = (final: boolean, act: Act): Action => ({
  final,
  compile: (call) => {
    new ArgumentReader(call.name, call.args).end()
    return act
  },
})

const quarantineName = (call: ActionCall, resources: Resources): string => {
  const args = new ArgumentReader(call.name, call.args)
  const name = args.string('the name of a quarantine')
  args.end()
  if (!resources.hasQuarantine(name)) throw new BadUse(`There is no quarantine '${name}'. Names are case-sensitive.`)
  return name
}

/** What becomes of the message, and what is written about it. */
export const dispositionActions: ActionTable = {
  drop: withoutArguments(true, (effects) => effects.drop()),
  'skip-filters': withoutArguments(true, (effects) => effects.skip()),
  deliver: withoutArguments(true, (effects) => effects.skip()),
  'no-op': withoutArguments(false, () => undefined),
  quarantine: {
    final: false,
    compile: (call, resources) => {
      const name = quarantineName(call, resources)
      return (effects) => effects.quarantine(name)
    },
  },
  'duplicate-quarantine': {
    final: false,
    compile: (call, resources) => {
      const name = quarantineName(call, resources)
      return (effects) => effects.copyToQuarantine(name)
    },
  },
  'log-entry': {
    final: false,
    compile: (call) => {
      const args = new ArgumentReader(call.name, call.args)
      const text = args.string('a text')
      args.end()
      return (effects) => effects.log(expandPrintable(text, effects.facts, effects.filter.name))
    },
  },
}
