import { isIP } from 'node:net'
import { dns } from '../config/sections/dns.ts'
import { interfaces } from '../config/sections/interfaces.ts'
import { Fault, UserError } from '../core/errors.ts'
import { fail, ok } from '../core/result.ts'
import { isHostname } from '../core/schema.ts'
import type { Field } from '../core/schema.ts'
import { printableCut } from '../core/text.ts'
import type { Session } from './command.ts'

/* Questions and answers that the commands for looking at other hosts share. */

/** A host name or an IP address. */
export const remoteHost: Field<string> = {
  parse: (text) => {
    const name = text.trim().replace(/\.$/, '')
    if (isIP(name) !== 0 || isHostname(name)) return ok(name)
    return fail('The value must be a host name or an IP address. (Ex: mail.example.com)')
  },
  format: (name) => name,
}

export const ipAddress: Field<string> = {
  parse: (text) => {
    const address = text.trim()
    return isIP(address) === 0 ? fail('The value must be an IP address. (Ex: 192.168.1.1)') : ok(address)
  },
  format: (address) => address,
}

const AUTO = 'Auto'

/** Asks for one of the interfaces of interfaceconfig; its address, null = the system chooses. */
export const askSource = async ({ ask, running }: Session, question: string): Promise<string | null> => {
  const all = running.get(interfaces).interfaces
  const chosen = await ask.pick(question, [AUTO, ...all.map((i) => i.name)], (name) => name, 0)
  return all.find((i) => i.name === chosen)?.address ?? null
}

/** The same by `--interface=NAME`. @throws UserError when there is no such interface. */
export const sourceNamed = ({ running }: Session, name: string | undefined): string | null => {
  if (name === undefined || name.toLowerCase() === AUTO.toLowerCase()) return null
  const found = running.get(interfaces).interfaces.find((i) => i.name === name)
  if (!found) throw new UserError(`There is no interface '${printableCut(name, 64)}'.`)
  return found.address
}

/** @throws UserError when an address cannot be reached from one of the other family. */
export const sameFamily = (addresses: readonly string[], source: string | null, host: string): string => {
  const found = addresses.find((a) => source === null || isIP(a) === isIP(source))
  if (found !== undefined) return found
  throw new UserError(`${host} has no IPv${isIP(source ?? '')} address, which the interface needs.`)
}

/** That a host does not answer is what the operator wants to know, and no fault of ours. */
export const unreached = (error: unknown): never => {
  throw error instanceof Fault ? new UserError(error.message) : error
}

/** Runs until done or Ctrl-C, which ends it in silence. */
export const interruptible = async (session: Session, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    await work(signal)
  } catch (error) {
    if (!signal.aborted) unreached(error)
  } finally {
    done()
  }
}

/** The name server that dnsconfig has for a name; null = the machine's. */
export const serverFor = (session: Session, name: string): string | null => {
  const { servers, alternates } = session.running.get(dns)
  const asked = `.${name.toLowerCase().replace(/\.$/, '')}`
  const nearest = [...alternates]
    .sort((a, b) => b.domain.length - a.domain.length)
    .find(({ domain }) => asked.endsWith(`.${domain.toLowerCase()}`))
  const [first] = [...servers].sort((a, b) => a.priority - b.priority)
  return nearest?.address ?? first?.address ?? null
}

/** Addresses of a host, IPv4 first; an address is its own. @throws UserError when there is none. */
export const addressesOf = async (session: Session, host: string, signal: AbortSignal): Promise<readonly string[]> => {
  if (isIP(host) !== 0) return [host]
  const { network } = session.appliance
  const found = await Promise.allSettled([network.resolve(host, 'A', signal), network.resolve(host, 'AAAA', signal)])
  signal.throwIfAborted()
  const answers = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const [refused] = found.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  if (answers.length === 0 && refused !== undefined) return unreached(refused)
  if (answers.length === 0) throw new UserError(`The name ${host} has no address.`)
  return answers.map((answer) => answer.value)
}

/** `example.com:26` → host and port; 25 without one. */
export const hostAndPort: Field<{ readonly host: string; readonly port: number }> = {
  parse: (text) => {
    const [, host = '', port = '25'] =
      /^\[?(.*?)\]?(?::(\d{1,5}))?$/.exec(isIP(text.trim()) === 6 ? `[${text.trim()}]` : text.trim()) ?? []
    const name = remoteHost.parse(host)
    if (!name.ok) return name
    const number = Number(port)
    return number >= 1 && number <= 65_535
      ? ok({ host: name.value, port: number })
      : fail('The port must be an integer from 1 to 65535.')
  },
  format: ({ host, port }) => (port === 25 ? host : `${host}:${port}`),
}
