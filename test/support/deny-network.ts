/* eslint-disable @typescript-eslint/unbound-method -- wraps prototype methods and calls them with their own this */
import dns from 'node:dns'
import net from 'node:net'
import type { LookupFunction } from 'node:net'

/** Tests never leave the machine: a connection or look-up beyond loopback throws. */
const allowed = (host: string | undefined): boolean =>
  host === undefined || host === 'localhost' || host === '::1' || host.startsWith('127.')

const checked =
  (lookup: LookupFunction): LookupFunction =>
  (hostname, options, callback) =>
    lookup(hostname, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      const outside = error ? undefined : addresses.find((address) => !allowed(address))
      if (outside !== undefined) throw new Error(`a test tried to connect to ${outside}`)
      callback(error, found, family)
    })

const guard = (): void => {
  const connect = net.Socket.prototype.connect
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
    const first = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0]
    const options = first as { host?: string; path?: string; lookup?: LookupFunction } | number | string
    // A test's own look-up may give any name an address, on loopback.
    if (typeof options === 'object' && options.lookup) {
      options.lookup = checked(options.lookup)
      return Reflect.apply(connect, this, args) as net.Socket
    }
    const host = typeof options === 'object' ? options.host : typeof args[1] === 'string' ? args[1] : undefined
    if (!(typeof options === 'object' && options.path !== undefined) && !allowed(host))
      throw new Error(`a test tried to connect to ${host}`)
    return Reflect.apply(connect, this, args) as net.Socket
  }

  const lookup = dns.lookup
  dns.lookup = ((name: string, ...rest: unknown[]) => {
    if (!allowed(name)) throw new Error(`a test tried to look up ${name}`)
    return Reflect.apply(lookup, dns, [name, ...rest]) as unknown
  }) as typeof dns.lookup
}

// The setup runs before each file, and the files of one worker share these objects: once is enough.
const GUARDED = Symbol.for('lychgate.network-denied')
if (!Object.hasOwn(net, GUARDED)) {
  guard()
  Object.defineProperty(net, GUARDED, { value: true })
}
