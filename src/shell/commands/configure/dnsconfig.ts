import { isIP } from 'node:net'
import { dns } from '../../../config/sections/dns.ts'
import type { DnsSettings } from '../../../config/sections/dns.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { hostname, integer, list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readForm } from '../../options.ts'

const address: Field<string> = {
  parse: (text) =>
    isIP(text.trim()) === 0 ? fail('The value must be an IP address. (Ex: 192.168.1.1)') : ok(text.trim()),
  format: (a) => a,
}
const priority = integer(0, 9999)
const domains = list(hostname)

const read = ({ draft }: Session): DnsSettings => draft.get(dns)
const write = (session: Session, change: Partial<DnsSettings>): void =>
  session.draft.set(dns, { ...read(session), ...change })

const inOrder = (session: Session): DnsSettings['servers'] =>
  [...read(session).servers].sort((a, b) => a.priority - b.priority)

const overview = (session: Session): readonly string[] => {
  const { alternates, validating } = read(session)
  const servers = inOrder(session)
  return [
    ...(servers.length === 0
      ? ['Currently using the name servers of the machine.']
      : [
          'Currently using the local DNS cache servers:',
          ...servers.map((s, i) => `${i + 1}. Priority: ${s.priority}  ${s.address}`),
        ]),
    ...(validating ? ['Their DNSSEC validation is trusted.'] : []),
    ...(alternates.length === 0
      ? []
      : [
          '',
          'Currently using the alternate DNS servers:',
          ...alternates.map((a, i) => `${i + 1}. ${a.domain}: ${a.address}`),
        ]),
  ]
}

const addServer = (session: Session, server: DnsSettings['servers'][number]): void => {
  if (read(session).servers.some((s) => s.address === server.address))
    throw new UserError(`The DNS server ${server.address} is configured already.`)
  write(session, { servers: [...read(session).servers, server] })
}

const addAlternate = (session: Session, names: readonly string[], server: string): void => {
  const lower = names.map((n) => n.toLowerCase())
  const rest = read(session).alternates.filter((a) => !lower.includes(a.domain))
  write(session, { alternates: [...rest, ...lower.map((domain) => ({ domain, address: server }))] })
}

const askNew = async (session: Session): Promise<void> => {
  const { ask } = session
  const kinds = ['Add a new local DNS cache server.', 'Add a new alternate domain server.'] as const
  const kind = await ask.pick(
    'Do you want to add a new local DNS cache server or an alternate domain server?',
    kinds,
    (k) => k,
  )
  if (kind === kinds[0]) {
    const server = await ask.field(
      'Please enter the IP address of your DNS server.\nSeparate multiple IPs with commas.',
      list(address),
    )
    for (const one of server) {
      const question = `Please enter the priority for ${one}.\nA value of 0 has the highest priority.`
      addServer(session, { address: one, priority: await ask.field(question, priority, 0) })
    }
    return
  }
  const names = await ask.field(
    'Please enter the domain this server is authoritative for. (Ex: "com").\nSeparate multiple domains with commas.',
    domains,
  )
  addAlternate(
    session,
    names,
    await ask.field(`Please enter the IP address of the DNS server for ${names.join(', ')}.`, address),
  )
}

const pickServer = async (session: Session): Promise<string> => {
  const { alternates } = read(session)
  const choices = [...inOrder(session).map((s) => s.address), ...alternates.map((a) => a.domain)]
  return await session.ask.pick('Choose the server:', choices, (c) => c)
}

const remove = (session: Session, name: string): void => {
  const { servers, alternates } = read(session)
  if (!servers.some((s) => s.address === name) && !alternates.some((a) => a.domain === name.toLowerCase()))
    throw new UserError(`There is no DNS server ${printableCut(name, 100)}.`)
  write(session, {
    servers: servers.filter((s) => s.address !== name),
    alternates: alternates.filter((a) => a.domain !== name.toLowerCase()),
  })
}

const edit = async (session: Session): Promise<void> => {
  const name = await pickServer(session)
  const { servers, alternates } = read(session)
  const server = servers.find((s) => s.address === name)
  if (server) {
    const next = await session.ask.field(`Please enter the priority for ${name}.`, priority, server.priority)
    write(session, { servers: servers.map((s) => (s === server ? { ...s, priority: next } : s)) })
    return
  }
  const old = alternates.find((a) => a.domain === name)
  const next = await session.ask.field(
    `Please enter the IP address of the DNS server for ${name}.`,
    address,
    old?.address,
  )
  write(session, { alternates: alternates.map((a) => (a === old ? { ...a, address: next } : a)) })
}

const setup = async (session: Session): Promise<void> => {
  const { ask } = session
  const own = read(session).servers.length > 0
  const kinds = ['Use the name servers of the machine', 'Use own DNS cache servers'] as const
  const kind = await ask.pick(
    'Do you want the Gateway to use the name servers of the machine or would you like it to use your own DNS servers?',
    kinds,
    (k) => k,
    own ? 1 : 0,
  )
  if (kind === kinds[0]) write(session, { servers: [] })
  else if (!own) {
    const server = await ask.field('Please enter the IP address of your DNS server.', address)
    addServer(session, {
      address: server,
      priority: await ask.field(`Please enter the priority for ${server}.`, priority, 0),
    })
  }
  write(session, {
    reverseTimeoutSeconds: await ask.field(
      'Enter the number of seconds to wait before timing out reverse DNS lookups.',
      integer(1, 120),
      read(session).reverseTimeoutSeconds,
    ),
  })
  write(session, {
    minTtlSeconds: await ask.field(
      'Enter the minimum TTL in seconds for DNS cache.',
      integer(30, 86_400),
      read(session).minTtlSeconds,
    ),
  })
  write(session, {
    validating: await ask.confirm(
      'Do these servers validate DNSSEC, over a way that nobody else can change? (needed for DANE)',
      read(session).validating,
    ),
  })
}

const value = <T>(field: Field<T>, text: string): T => {
  const result = field.parse(text)
  if (!result.ok) throw new UserError(result.error)
  return result.value
}

const form = (
  words: readonly string[],
  takes: string,
  run: (session: Session, args: readonly string[]) => void | Promise<void>,
): Form => {
  const usage = ['dnsconfig', ...words, ...(takes === '' ? [] : [takes])].join(' ')
  const count = takes === '' ? 0 : takes.split(' ').length
  return {
    usage,
    words,
    run: async (session, args) => await run(session, readForm(usage, args, { min: count, max: count }).words),
  }
}

export default defineCommand({
  name: 'dnsconfig',
  summary: 'Configure DNS servers, time-outs and cache',
  description:
    'Names the DNS servers that the mail path asks, alternate servers for single domains, the time-out of reverse ' +
    'look-ups, how long answers are kept at least, and whether the servers are trusted with DNSSEC (the AD bit), ' +
    'which DANE needs.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...overview(session))
      const { servers, alternates } = read(session)
      const operation = await session.ask.choose({
        NEW: 'Add a new server.',
        ...(servers.length + alternates.length > 0 ? { EDIT: 'Edit a server.', DELETE: 'Remove a server.' } : {}),
        SETUP: 'Configure general settings.',
      })
      if (operation === null) return
      if (operation === 'NEW') await askNew(session)
      else if (operation === 'EDIT') await edit(session)
      else if (operation === 'DELETE') remove(session, await pickServer(session))
      else await setup(session)
    }
  },
  forms: [
    form(['parent', 'new'], 'IP PRIORITY', (session, [ip = '', n = '']) =>
      addServer(session, { address: value(address, ip), priority: value(priority, n) }),
    ),
    form(['parent', 'delete'], 'IP', (session, [ip = '']) => remove(session, ip)),
    form(['parent', 'print'], '', (session) => session.print(...overview(session))),
    form(['validating'], 'YES|NO', (session, [answer = '']) => {
      write(session, { validating: value(oneOf(['yes', 'no']), answer.toLowerCase()) === 'yes' })
    }),
    form(['alt', 'new'], 'DOMAINS IP', (session, [names = '', ip = '']) =>
      addAlternate(session, value(domains, names), value(address, ip)),
    ),
    form(['alt', 'delete'], 'DOMAIN', (session, [name = '']) => remove(session, name)),
    form(['alt', 'print'], '', (session) => session.print(...overview(session))),
  ],
})
