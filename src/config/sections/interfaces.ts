import * as v from 'valibot'
import { isIP } from 'node:net'
import type { Issue } from '../../core/errors.ts'
import { isHostname } from '../../core/schema.ts'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(64))

const ipInterface = v.object({
  name,
  /** An address of this machine, IPv4 or IPv6. */
  address: v.pipe(
    v.string(),
    v.check((a) => isIP(a) !== 0, 'not an IP address'),
  ),
  /** What listeners and deliveries on it say of themselves; '' = the appliance's host name. */
  hostname: v.pipe(
    v.string(),
    v.maxLength(253),
    v.check((h) => h === '' || isHostname(h), 'not a host name'),
  ),
})
export type IpInterface = v.InferOutput<typeof ipInterface>

const interfaceGroup = v.object({ name, interfaces: v.array(name) })
export type InterfaceGroup = v.InferOutput<typeof interfaceGroup>

const schema = v.object({
  interfaces: v.array(ipInterface),
  /** Several interfaces under one name, for `altsrchost`: its messages are spread over them. */
  groups: v.array(interfaceGroup),
  /** Interface or group that mail leaves from (`deliveryconfig`); '' = the system chooses. */
  delivery: v.pipe(v.string(), v.maxLength(64)),
})
export type Interfaces = v.InferOutput<typeof schema>

/** The address on which something listens: its own, or that of the interface; null = there is no such interface. */
export const addressOn = (
  { address, interfaceName }: { readonly address: string | null; readonly interfaceName: string },
  { interfaces }: Interfaces,
): string | null => address ?? interfaces.find((i) => i.name === interfaceName)?.address ?? null

/** Whether mail can leave from it: an address, an interface or a group. */
export const isSource = ({ interfaces, groups }: Interfaces, source: string): boolean =>
  isIP(source) !== 0 || [...interfaces, ...groups].some((i) => i.name === source)

/** `interfaceconfig`. */
export const interfaces = defineSection<Interfaces>({
  name: 'interfaces',
  version: 1,
  schema,
  defaults: { interfaces: [], groups: [], delivery: '' },
  verify: (all) => {
    const error = (path: string, message: string): Issue => ({
      path: `interfaces.${path}`,
      message,
      severity: 'error',
    })
    const known = new Set(all.interfaces.map((i) => i.name))
    return [
      ...uniqueNames('interfaces', [...all.interfaces, ...all.groups]),
      ...all.groups.flatMap((g) => [
        ...(g.interfaces.length === 0 ? [error(g.name, `The interface group ${g.name} is empty.`)] : []),
        ...g.interfaces
          .filter((i) => !known.has(i))
          .map((i) => error(g.name, `The interface group ${g.name} has the interface '${i}', which does not exist.`)),
      ]),
      ...(all.delivery === '' || isSource(all, all.delivery)
        ? []
        : [error('delivery', `Mail is to leave from the interface '${all.delivery}', which does not exist.`)]),
    ]
  },
})
