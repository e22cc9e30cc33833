import { isIP } from 'node:net'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import type { Field } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { replyLines } from '../../format/dns-reply.ts'
import { misused, readForm, readValue } from '../../options.ts'
import { interruptible, ipAddress, serverFor } from '../../remote.ts'

const USAGE = 'dig [-s SOURCE_IP] [-t | -u] [@SERVER] [TYPE] HOST'
const TYPES = ['A', 'AAAA', 'ANY', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TLSA', 'TXT']

/** Names with underscores too: `_dmarc.example.com`, `selector._domainkey.example.com`. */
const dnsName: Field<string> = {
  parse: (text) => {
    const name = text.trim()
    if (isIP(name) !== 0 || name === '.') return ok(name)
    const labels = name.replace(/\.$/, '').split('.')
    return name.length <= 254 && labels.every((label) => /^[A-Za-z0-9_*-]{1,63}$/.test(label))
      ? ok(name)
      : fail('The value must be a host name or an IP address. (Ex: mail.example.com)')
  },
  format: (name) => name,
}

const recordType: Field<string> = {
  parse: (text) => {
    const type = text.trim().toUpperCase()
    return /^[A-Z][A-Z0-9]{0,9}$/.test(type) ? ok(type) : fail('The value must be a record type. (Ex: MX)')
  },
  format: (type) => type,
  complete: (part) => TYPES.filter((type) => type.startsWith(part.toUpperCase())),
}

/** `192.0.2.1` is asked for as `1.2.0.192.in-addr.arpa`. */
const reversed = (address: string): string => {
  if (isIP(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const words = (text: string): readonly string[] => (text === '' ? [] : text.split(':'))
  const missing = 8 - words(head).length - words(tail).length
  const all = [...words(head), ...Array.from({ length: missing }, () => '0'), ...words(tail)]
  const nibbles = all.map((word) => word.padStart(4, '0')).join('')
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`
}

interface Wish {
  readonly name: string
  readonly type: string
  readonly server: string | null
  readonly source: string | null
  readonly tcp: boolean
}

const dig = async (session: Session, wish: Wish): Promise<void> => {
  const byAddress = isIP(wish.name) !== 0
  const name = byAddress ? reversed(wish.name) : wish.name
  await interruptible(session, async (signal) => {
    const question = {
      ...wish,
      name,
      type: byAddress ? 'PTR' : wish.type,
      server: wish.server ?? serverFor(session, name),
    }
    const reply = await session.appliance.diagnostics.dig(question, signal)
    const { env, time } = session.appliance
    await session.page(replyLines(reply, time.stamp(env.clock.now())))
  })
}

export default defineCommand({
  name: 'dig',
  summary: 'Ask a name server and show its whole answer',
  description:
    'Sends one question to a name server and shows the answer as it came: status, flags and all sections. ' +
    'Without @SERVER the first server of dnsconfig is asked (the one for the domain, where there is one), or the first of this machine. ' +
    'An address is looked up backwards. The type is A when none is given.',
  options: {
    '-s SOURCE_IP': 'the address of this machine to ask from',
    '-t': 'ask over TCP',
    '-u': 'ask over UDP, and over TCP only when the answer does not fit (the default)',
  },
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    const { ask } = session
    const name = await ask.field('Please enter the host or IP to look up.', dnsName)
    const type = isIP(name) === 0 ? await ask.field('Please enter the type of record.', recordType, 'A') : 'PTR'
    const server = await ask.optional(
      'Please enter the IP of the name server to ask (Enter: the configured one).',
      ipAddress,
    )
    await dig(session, { name, type, server, source: null, tcp: await ask.confirm('Ask over TCP?', false) })
  },
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE, args, { min: 1, max: 3, values: ['s'], flags: ['t', 'u'] })
        if (options['t'] !== undefined && options['u'] !== undefined)
          throw new UserError('-t (TCP) and -u (UDP) do not go together.')
        const at = words.filter((word) => word.startsWith('@'))
        const rest = words.filter((word) => !word.startsWith('@'))
        const [type, name] = rest.length === 2 ? rest : ['A', rest[0]]
        if (name === undefined || type === undefined || at.length > 1 || rest.length > 2)
          throw misused('A host is needed.', USAGE)
        await dig(session, {
          name: readValue(dnsName, name),
          type: readValue(recordType, type),
          server: at[0] === undefined ? null : readValue(ipAddress, at[0].slice(1)),
          source: options['s'] === undefined ? null : readValue(ipAddress, options['s']),
          tcp: options['t'] !== undefined,
        })
      },
    },
  ],
  complete: () => TYPES,
})
