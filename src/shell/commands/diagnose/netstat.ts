import { oneOf } from '../../../core/schema.ts'
import type { InterfaceState } from '../../../services/diagnostics.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { interfaceTable, listenTable, routeTable, socketTable } from '../../format/network-tables.ts'
import { readForm, readValue } from '../../options.ts'
import { unreached } from '../../remote.ts'

const WISHES = ['sockets', 'interfaces', 'routes', 'listen', 'traffic'] as const
type Wish = (typeof WISHES)[number]
const TITLES: Readonly<Record<Wish, string>> = {
  sockets: 'List of active sockets.',
  interfaces: 'State of network interfaces.',
  routes: 'Contents of routing tables.',
  listen: 'Size of the listen queues.',
  traffic: 'Packet traffic information.',
}
const VERSIONS = ['IPv4 only.', 'IPv6 only.', 'Both.'] as const

interface Options {
  readonly families: readonly (4 | 6)[]
  readonly wide: boolean
  readonly bytes: boolean
  readonly drops: boolean
  /** null = all of them. */
  readonly interface: string | null
}

const show = async (session: Session, wish: Wish, options: Options): Promise<void> => {
  const { machine } = session.appliance.diagnostics
  const ofFamily = ({ protocol }: { readonly protocol: string }): boolean =>
    options.families.includes(protocol.endsWith('6') ? 6 : 4)
  switch (wish) {
    case 'sockets':
      return await session.page(socketTable((await machine.sockets()).filter(ofFamily), options.wide))
    case 'listen':
      return await session.page(listenTable((await machine.sockets()).filter(ofFamily), options.wide))
    case 'routes': {
      const routes = (await machine.routes()).filter((r) => options.families.includes(r.family))
      return await session.page(routeTable(routes, options.wide))
    }
    case 'interfaces': {
      const found = (await machine.interfaces()).filter(
        (i) => options.interface === null || i.name === options.interface,
      )
      if (found.length === 0) return session.print(`There is no network interface ${options.interface}.`)
      return await session.page(interfaceTable(found, options, options.families))
    }
    case 'traffic':
      return await traffic(session)
  }
}

const sum = (interfaces: readonly InterfaceState[], of: (i: InterfaceState) => number): number =>
  interfaces.reduce((total, i) => total + of(i), 0)

/** What went through all interfaces in each second, until Ctrl-C; a script gets one line. */
const traffic = async (session: Session): Promise<void> => {
  const { diagnostics, env } = session.appliance
  const columns: readonly (readonly [string, number, (i: InterfaceState) => number])[] = [
    ['packets', 10, (i) => i.input.packets],
    ['errs', 6, (i) => i.input.errors],
    ['bytes', 12, (i) => i.input.bytes],
    ['packets', 10, (i) => i.output.packets],
    ['errs', 6, (i) => i.output.errors],
    ['bytes', 12, (i) => i.output.bytes],
    ['colls', 6, (i) => i.collisions],
  ]
  session.print('Press Ctrl-C to stop.')
  session.print(`${'input'.padStart(20)}${'(Total)'.padStart(10)}${'output'.padStart(20)}`)
  session.print(columns.map(([title, width]) => title.padStart(width)).join(' '))
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    let before = await diagnostics.machine.interfaces()
    do {
      await env.clock.sleep(1000, signal)
      const now = await diagnostics.machine.interfaces()
      const line = columns.map(([, width, of]) => String(sum(now, of) - sum(before, of)).padStart(width))
      session.print(line.join(' '))
      await session.terminal.drained?.()
      before = now
    } while (session.terminal.interactive && !signal.aborted)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    done()
  }
}

const ask = async (session: Session): Promise<void> => {
  const { ask: question } = session
  const wish = await question.pick('Choose the information you want to display:', WISHES, (w) => TITLES[w], 0)
  let options: Options = { families: [4, 6], wide: false, bytes: false, drops: false, interface: null }
  if (wish !== 'traffic') {
    const version = await question.pick('Select the IP version:', VERSIONS, (v) => v, 0)
    options = { ...options, families: version === VERSIONS[0] ? [4] : version === VERSIONS[1] ? [6] : [4, 6] }
  }
  if (wish === 'interfaces') {
    const names = (await session.appliance.diagnostics.machine.interfaces()).map((i) => i.name)
    const head = 'Select the ethernet interface whose state you wish to display:'
    const name = await question.pick<string | null>(head, [...names, null], (n) => n ?? 'All', names.length)
    const bytes = await question.confirm('Show the number of bytes in and out?', false)
    const drops = await question.confirm('Show the number of dropped packets?', false)
    options = { ...options, interface: name, bytes, drops }
  } else if (wish !== 'traffic') {
    options = { ...options, wide: await question.confirm('Avoid truncating addresses?', false) }
  }
  await show(session, wish, options).catch(unreached)
}

const form = (wish: Wish, extra: string, flags: readonly string[], max: number): Form => {
  const usage = `netstat ${wish}${extra}`
  return {
    usage,
    words: [wish],
    run: async (session, args) => {
      const values = wish === 'traffic' ? [] : ['ip']
      const { words, options } = readForm(usage, args, { min: 0, max, values, flags })
      const version = options['ip'] === undefined ? 'both' : readValue(oneOf(['4', '6', 'both']), options['ip'])
      await show(session, wish, {
        families: version === '4' ? [4] : version === '6' ? [6] : [4, 6],
        wide: options['wide'] !== undefined,
        bytes: options['bytes'] !== undefined,
        drops: options['drops'] !== undefined,
        interface: words[0] ?? null,
      }).catch(unreached)
    },
  }
}

export default defineCommand({
  name: 'netstat',
  summary: 'Show sockets, interfaces, routes and packet traffic',
  description:
    'Shows the network of this machine as its kernel tells it: open sockets, interfaces with their counters, routes, ' +
    'how many connections wait in each listen queue, and what goes through all interfaces each second (until Ctrl-C; once in a script).',
  options: {
    '--ip=4|6|both': 'which version of IP',
    '--wide': 'addresses are not cut',
    '--bytes': 'bytes in and out too',
    '--drops': 'dropped packets too',
  },
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: ask,
  forms: [
    form('sockets', ' [--ip=4|6|both] [--wide]', ['wide'], 0),
    form('interfaces', ' [NAME] [--ip=4|6|both] [--bytes] [--drops]', ['bytes', 'drops'], 1),
    form('routes', ' [--ip=4|6|both] [--wide]', ['wide'], 0),
    form('listen', ' [--ip=4|6|both] [--wide]', ['wide'], 0),
    form('traffic', '', [], 0),
  ],
})
