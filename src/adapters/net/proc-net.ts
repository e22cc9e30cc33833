import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Fault, errorText } from '../../core/errors.ts'
import type { ArpEntry, InterfaceState, MachineNetwork, Route, Socket } from '../../services/diagnostics.ts'

export interface ProcFolders {
  /** `/proc/net` */
  readonly proc: string
  /** `/sys/class/net` */
  readonly sys: string
  readonly addresses: typeof networkInterfaces
}

const REAL: ProcFolders = { proc: '/proc/net', sys: '/sys/class/net', addresses: networkInterfaces }

/** Words of each line below the heading. A table that this kernel does not have (IPv6 off) is empty. */
const table = async (folder: string, name: string, headings: number): Promise<readonly (readonly string[])[]> => {
  const text = await readFile(join(folder, name), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new Fault('UPSTREAM_UNAVAILABLE', `The system does not show ${name}: ${errorText(error)}.`, { cause: error })
  })
  return text
    .split('\n')
    .slice(headings)
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/))
}

/** The kernel prints addresses as 32-bit words in the byte order of the machine (little-endian on what Node runs on). */
const bytesOf = (hex: string): readonly number[] =>
  (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).map((b) => parseInt(b, 16)).reverse())
const ipv4 = (hex: string): string => bytesOf(hex).join('.')

/** RFC 5952. */
const ipv6 = (bytes: readonly number[]): string => {
  const words = Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16))
  const [longest = ''] = (words.join(':').match(/\b0(?::0)+\b/g) ?? []).sort((a, b) => b.length - a.length)
  if (longest === '') return words.join(':')
  const text = words.join(':')
  const at = text.search(new RegExp(`(?:^|:)${longest}(?:$|:)`))
  const start = text.indexOf(longest, at)
  return `${text.slice(0, start).replace(/:$/, '')}::${text.slice(start + longest.length).replace(/^:/, '')}`
}
const plainBytes = (hex: string): readonly number[] => (hex.match(/../g) ?? []).map((b) => parseInt(b, 16))

/** `include/net/tcp_states.h` */
const STATES = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RCVD',
  'FIN_WAIT_1',
  'FIN_WAIT_2',
  'TIME_WAIT',
  'CLOSED',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
]

const endpoint = (text: string): string => {
  const [address = '', port = ''] = text.split(':')
  const number = parseInt(port, 16)
  const any = /^0+$/.test(address)
  const shown = any ? '*' : address.length === 8 ? ipv4(address) : ipv6(bytesOf(address))
  return `${shown}.${number === 0 ? '*' : number}`
}

const socketsOf = async (proc: string, name: string): Promise<readonly Socket[]> =>
  (await table(proc, name, 1)).map((words) => {
    const [send = '0', receive = '0'] = (words[4] ?? '').split(':')
    return {
      protocol: name.endsWith('6') ? name : `${name}4`,
      receiveQueue: parseInt(receive, 16),
      sendQueue: parseInt(send, 16),
      local: endpoint(words[1] ?? ''),
      remote: endpoint(words[2] ?? ''),
      state: name.startsWith('tcp') ? (STATES[parseInt(words[3] ?? '0', 16)] ?? '') : '',
    }
  })

const interfacesOf = async ({ proc, sys, addresses }: ProcFolders): Promise<readonly InterfaceState[]> => {
  const known = addresses()
  const rows = await table(proc, 'dev', 2)
  return await Promise.all(
    rows.map(async (words): Promise<InterfaceState> => {
      // `lo:4257` stands without a blank when the number is long.
      const [name = '', ...numbers] = words
        .join(' ')
        .replace(':', ' ')
        .split(/\s+/)
        .filter((w) => w !== '')
      const n = (i: number): number => Number(numbers[i] ?? 0)
      const mtu = await readFile(join(sys, name, 'mtu'), 'utf8').then(Number, () => null)
      return {
        name,
        mtu,
        addresses: (known[name] ?? []).map((a) => ({
          family: a.family === 'IPv4' ? 4 : 6,
          address: a.address,
          network: a.cidr ?? a.address,
        })),
        input: { bytes: n(0), packets: n(1), errors: n(2), drops: n(3) },
        output: { bytes: n(8), packets: n(9), errors: n(10), drops: n(11) },
        collisions: n(13),
      }
    }),
  )
}

const GATEWAY = 0x2
const FLAGS: readonly (readonly [number, string])[] = [
  [0x1, 'U'],
  [GATEWAY, 'G'],
  [0x4, 'H'],
]
const flagsOf = (value: number): string =>
  FLAGS.flatMap(([bit, letter]) => ((value & bit) === 0 ? [] : [letter])).join('')

const prefix = (mask: string): number =>
  bytesOf(mask).reduce((bits, byte) => bits + (byte.toString(2).match(/1/g) ?? []).length, 0)

const routesOf = async (proc: string): Promise<readonly Route[]> => {
  const four = (await table(proc, 'route', 1)).map((w): Route => {
    const flags = parseInt(w[3] ?? '0', 16)
    const bits = prefix(w[7] ?? '')
    return {
      family: 4,
      destination: bits === 0 ? 'default' : `${ipv4(w[1] ?? '')}${bits === 32 ? '' : `/${bits}`}`,
      gateway: (flags & GATEWAY) === 0 ? null : ipv4(w[2] ?? ''),
      flags: flagsOf(flags),
      interface: w[0] ?? '',
    }
  })
  const six = (await table(proc, 'ipv6_route', 0)).map((w): Route => {
    const flags = parseInt(w[8] ?? '0', 16)
    const bits = parseInt(w[1] ?? '0', 16)
    return {
      family: 6,
      destination: bits === 0 ? 'default' : `${ipv6(plainBytes(w[0] ?? ''))}${bits === 128 ? '' : `/${bits}`}`,
      gateway: (flags & GATEWAY) === 0 ? null : ipv6(plainBytes(w[4] ?? '')),
      flags: flagsOf(flags),
      interface: w[9] ?? '',
    }
  })
  return [...four, ...six]
}

/** proc(5): `ATF_COM`. */
const COMPLETE = 0x2

const arpOf = async (proc: string): Promise<readonly ArpEntry[]> =>
  (await table(proc, 'arp', 1)).map((w) => ({
    address: w[0] ?? '',
    hardware: w[3] ?? '',
    interface: w[5] ?? '',
    complete: (parseInt(w[2] ?? '0', 16) & COMPLETE) !== 0,
  }))

/** The network of this machine as the Linux kernel tells it. */
export const procNetwork = (folders: ProcFolders = REAL): MachineNetwork => ({
  sockets: async () =>
    (await Promise.all(['tcp', 'tcp6', 'udp', 'udp6'].map((name) => socketsOf(folders.proc, name)))).flat(),
  interfaces: () => interfacesOf(folders),
  routes: () => routesOf(folders.proc),
  arp: () => arpOf(folders.proc),
})
