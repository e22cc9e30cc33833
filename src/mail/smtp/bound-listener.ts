import { addressOn } from '../../config/sections/interfaces.ts'
import type { Interfaces } from '../../config/sections/interfaces.ts'
import type { Listener } from '../../config/sections/listeners.ts'

/** A listener with the address on which it listens. */
export interface BoundListener extends Listener {
  readonly address: string
  /** Of its interface; '' = the appliance's. */
  readonly hostname: string
}

/** Null when its interface does not exist. */
export const boundListener = (listener: Listener, settings: Interfaces): BoundListener | null => {
  const address = addressOn(listener, settings)
  if (address === null) return null
  const own = listener.address === null && settings.interfaces.find((i) => i.name === listener.interfaceName)
  return { ...listener, address, hostname: own ? own.hostname : '' }
}
