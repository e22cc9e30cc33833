import type { FilterRef } from '../../../events/message.ts'
import type { Edit } from '../../pipeline/stage.ts'
import type { ActionCall } from '../ast.ts'
import type { Facts } from '../facts.ts'
import type { Resources } from '../resources.ts'

/** What an action can do to the message that its filter matched. */
export interface Effects {
  readonly facts: Facts
  readonly filter: FilterRef
  readonly edit: (edit: Edit) => void
  /** Flags; the last flag counts. */
  quarantine(name: string): void
  /** Copies the message as it stands now. */
  copyToQuarantine(name: string): void
  log(text: string): void
  drop(): void
  /** Ends this list of filters; the message goes on. */
  skip(): void
}

export type Act = (effects: Effects) => void | Promise<void>

export interface Action {
  /** Ends this and all later filters of the list. */
  readonly final: boolean
  /** @throws BadUse when the call cannot be used as it is written. */
  compile(call: ActionCall, resources: Resources): Act
}

export type ActionTable = Readonly<Record<string, Action>>
