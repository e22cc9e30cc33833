import { isIP } from 'node:net'
import { oneOf } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { DNS_TYPES } from '../../../services/network.ts'
import type { DnsAnswer, DnsType } from '../../../services/network.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { shortTtl } from '../../format/duration.ts'
import { readForm, readValue } from '../../options.ts'
import { remoteHost } from '../../remote.ts'

const USAGE = 'nslookup HOST [A|AAAA|CNAME|MX|NS|PTR|SOA|TXT]'

const LABELS: Readonly<Record<DnsType, string>> = {
  A: "A       the host's IPv4 address",
  AAAA: "AAAA    the host's IPv6 address",
  CNAME: 'CNAME   the canonical name for an alias',
  MX: 'MX      the mail exchangers',
  NS: 'NS      the name servers',
  PTR: 'PTR     the host name of an address',
  SOA: "SOA     the domain's start of authority",
  TXT: 'TXT     the text records',
}

/** `A=192.0.34.166 TTL=2d`, `MX=mail.example.com PREF=10`. */
const line = ({ type, value, preference, ttlSeconds }: DnsAnswer): string =>
  [
    `${type}=${printable(value)}`,
    ...(preference === undefined ? [] : [`PREF=${preference}`]),
    ...(ttlSeconds === null ? [] : [`TTL=${shortTtl(ttlSeconds)}`]),
  ].join(' ')

const look = async (session: Session, name: string, type: DnsType): Promise<void> => {
  const { signal, done } = session.terminal.untilInterrupt()
  try {
    const answers = await session.appliance.network.resolve(name, type, signal)
    if (answers.length === 0) session.print(`There is no ${type} record for ${printable(name)}.`)
    else await session.page(answers.map(line))
  } finally {
    done()
  }
}

export default defineCommand({
  name: 'nslookup',
  summary: 'Query a name server',
  description: 'Asks the name servers of this machine for the records of a host, a domain or an address.',
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    const name = await session.ask.field('Please enter the host or IP to resolve.', remoteHost)
    const initial = isIP(name) === 0 ? 'A' : 'PTR'
    const type = await session.ask.pick(
      'Choose the query type:',
      DNS_TYPES,
      (t) => LABELS[t],
      DNS_TYPES.indexOf(initial),
    )
    await look(session, name, type)
  },
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words } = readForm(USAGE, args, { min: 1, max: 2 })
        const name = readValue(remoteHost, words[0] ?? '')
        const type = readValue(oneOf(DNS_TYPES), words[1] ?? (isIP(name) === 0 ? 'A' : 'PTR'))
        await look(session, name, type)
      },
    },
  ],
  complete: (_, words) => (words.length === 1 ? DNS_TYPES : []),
})
