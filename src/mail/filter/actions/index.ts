import type { Action } from './action.ts'
import { dispositionActions } from './disposition.ts'
import { editActions } from './edit.ts'
import { urlActions } from './url.ts'

/** Every action of the language. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(
  [dispositionActions, editActions, urlActions].flatMap((t) => Object.entries(t)),
)
