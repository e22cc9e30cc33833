import { networkInterfaces } from 'node:os'

/** The addresses of this machine's interfaces. */
export const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((a) => a.address))
