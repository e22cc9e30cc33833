import type { ArpEntry, InterfaceState, Route, Socket, Traffic } from '../../services/diagnostics.ts'

/* Tables of `netstat` and `diagnostic network`, as BSD prints them. */

/** A cell that is too long loses its end, unless the operator wants it whole. */
const cell = (text: string, width: number, wide: boolean): string =>
  (wide || text.length <= width ? text : text.slice(0, width)).padEnd(width)

const ADDRESS = 22
const WIDE_ADDRESS = 46

export const socketTable = (sockets: readonly Socket[], wide: boolean): readonly string[] => {
  const width = wide ? WIDE_ADDRESS : ADDRESS
  return [
    'Active Internet connections (including servers)',
    `Proto Recv-Q Send-Q ${'Local Address'.padEnd(width)} ${'Foreign Address'.padEnd(width)} (state)`,
    ...sockets.map((s) =>
      [
        s.protocol.padEnd(5),
        String(s.receiveQueue).padStart(6),
        String(s.sendQueue).padStart(6),
        cell(s.local, width, wide),
        cell(s.remote, width, wide),
        s.state,
      ]
        .join(' ')
        .trimEnd(),
    ),
  ]
}

export const listenTable = (sockets: readonly Socket[], wide: boolean): readonly string[] => [
  'Current listen queue sizes',
  'Proto Listen Local Address',
  ...sockets
    .filter((s) => s.state === 'LISTEN')
    .map((s) =>
      `${s.protocol.padEnd(5)} ${String(s.receiveQueue).padStart(6)} ${cell(s.local, ADDRESS, wide)}`.trimEnd(),
    ),
]

const ROUTE = 30
export const routeTable = (routes: readonly Route[], wide: boolean): readonly string[] => {
  const width = wide ? WIDE_ADDRESS : ROUTE
  const family = (number: 4 | 6, title: string): readonly string[] => {
    const found = routes.filter((r) => r.family === number)
    if (found.length === 0) return []
    return [
      '',
      `${title}:`,
      `${'Destination'.padEnd(width)} ${'Gateway'.padEnd(width)} Flags  Netif`,
      ...found.map(
        (r) =>
          `${cell(r.destination, width, wide)} ${cell(r.gateway ?? 'link', width, wide)} ${r.flags.padEnd(6)} ${r.interface}`,
      ),
    ]
  }
  return ['Routing tables', ...family(4, 'Internet'), ...family(6, 'Internet6')]
}

export interface InterfaceColumns {
  readonly bytes: boolean
  readonly drops: boolean
}

/** One line for the interface, one for each of its addresses. */
export const interfaceTable = (
  interfaces: readonly InterfaceState[],
  { bytes, drops }: InterfaceColumns,
  families: readonly (4 | 6)[],
): readonly string[] => {
  const numbers = (t: Traffic): readonly string[] => [
    String(t.packets).padStart(10),
    String(t.errors).padStart(6),
    ...(bytes ? [String(t.bytes).padStart(14)] : []),
    ...(drops ? [String(t.drops).padStart(6)] : []),
  ]
  const titles = (letter: string): readonly string[] => [
    `${letter}pkts`.padStart(10),
    `${letter}errs`.padStart(6),
    ...(bytes ? [`${letter}bytes`.padStart(14)] : []),
    ...(drops ? [`${letter}drop`.padStart(6)] : []),
  ]
  return [
    ['Name'.padEnd(10), 'Mtu'.padStart(6), ...titles('I'), ...titles('O'), 'Coll'.padStart(6)].join(' '),
    ...interfaces.flatMap((i) => [
      [
        i.name.padEnd(10),
        String(i.mtu ?? '-').padStart(6),
        ...numbers(i.input),
        ...numbers(i.output),
        String(i.collisions).padStart(6),
      ].join(' '),
      ...i.addresses.filter((a) => families.includes(a.family)).map((a) => `  ${a.network}`),
    ]),
  ]
}

export const arpTable = (entries: readonly ArpEntry[]): readonly string[] =>
  entries.map((e) => `? (${e.address}) at ${e.complete ? e.hardware : '(incomplete)'} on ${e.interface}`)
