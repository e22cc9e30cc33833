import type { AccessEvent } from '../../events/access.ts'
import type { EventType } from '../../events/event.ts'
import { info, line, to, warning } from '../line.ts'
import type { LogTable, Route } from '../line.ts'

const toAuthentication = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [
  to('authentication', render),
]

/** The `authentication` log, in the words of AsyncOS where it has them (logs.md); an SSH connection in place of HTTPS. */
export const accessLines: LogTable<AccessEvent['type']> = {
  'access.accepted': toAuthentication((e) =>
    info(
      line`The user ${e.user} successfully logged on from ${e.from} with privilege ${e.role} using an SSH connection (${e.method}).`,
    ),
  ),
  'access.refused': toAuthentication((e) =>
    info(
      line`An authentication attempt by the user ${e.user} from ${e.from} failed using an SSH connection (${e.method}).`,
    ),
  ),
  'access.address-locked': toAuthentication((e) =>
    warning(line`Passphrases from ${e.from} are refused for ${e.seconds} seconds after ${e.failures} failed attempts.`),
  ),
  'access.user-locked': toAuthentication((e) =>
    warning(
      line`Passphrases of the user ${e.user} are refused for ${e.seconds} seconds after ${e.failures} failed attempts.`,
    ),
  ),
  'access.logged-out': toAuthentication((e) => info(line`User ${e.user} logged out of SSH session ${e.from}`)),
  'access.timed-out': toAuthentication((e) =>
    info(line`CLI: User ${e.user} logged out from ${e.from} because of inactivity timeout`),
  ),
}
