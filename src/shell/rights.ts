import type { ConfigStore } from '../config/store.ts'
import { UserError } from '../core/errors.ts'
import { OPERATORS } from './command.ts'
import type { Role } from './command.ts'

/** Who decides about these decides about everybody's rights; `loadconfig` and `rollbackconfig` must not get round that. */
const ADMINISTRATORS_ONLY: readonly string[] = ['users', 'admin_access', 'ssh']

/** Who may leave files behind: a read-only operator looks and stages (spec/commands.md, roles). */
const WRITERS: readonly Role[] = ['administrator', 'operator', 'technician']

/** @throws UserError when the role may not write files. */
export const refuseFiles = (role: Role): void => {
  if (!WRITERS.includes(role)) throw new UserError('Your role may not write files.')
}

/** The configuration as a session of this role may use it: reading and staging as ever, committing within its rights. */
export const withinRights = (config: ConfigStore, role: Role): ConfigStore => {
  const commit: ConfigStore['commit'] = async (draft, options) => {
    if (!OPERATORS.includes(role)) throw new UserError('Your role may stage changes, but not commit them.')
    const changed = new Set(draft.changes().map((change) => change.path.split('.')[0] ?? ''))
    const forbidden = role === 'administrator' ? [] : ADMINISTRATORS_ONLY.filter((name) => changed.has(name))
    if (forbidden.length > 0)
      throw new UserError(
        `Only administrators may change ${forbidden.join(', ')}; drop that with 'clearchanges ${forbidden[0]}'.`,
      )
    return await config.commit(draft, options)
  }
  // The store's other members stay as they are, its getters too.
  return Object.create(config, { commit: { value: commit } }) as ConfigStore
}
