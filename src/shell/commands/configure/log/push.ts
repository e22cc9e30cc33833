import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { SYSLOG_BYTES, SYSLOG_FACILITIES, SYSLOG_PROTOCOLS } from '../../../../config/sections/log-subscriptions.ts'
import type { SyslogProtocol, SyslogPush } from '../../../../config/sections/log-subscriptions.ts'
import { fail, ok } from '../../../../core/result.ts'
import { integer, isHostname, oneOf } from '../../../../core/schema.ts'
import type { Field } from '../../../../core/schema.ts'
import type { Ask } from '../../../command.ts'
import { misused, readForm, readValue } from '../../../options.ts'

/** The part of logconfig about where a log's lines are sent. */

const host: Field<string> = {
  parse: (typed) => {
    const name = typed.trim().replace(/\.$/, '')
    return isIP(name) !== 0 || isHostname(name)
      ? ok(name)
      : fail('The value must be a host name or an IP address. (Ex: syslog.example.com, 10.1.1.1)')
  },
  format: (name) => name,
}
const SYSTEM = 'system'
const ca: Field<string> = {
  parse: (typed) => {
    const path = typed.trim()
    return path === SYSTEM || (isAbsolute(path) && path.length <= 1024)
      ? ok(path)
      : fail(`Enter '${SYSTEM}' or the whole path of a PEM file. (Ex: /etc/ssl/syslog-ca.pem)`)
  },
  format: (path) => path,
}
const port = integer(1, 65_535)
const facility = oneOf(SYSLOG_FACILITIES)
const protocolWord = oneOf(SYSLOG_PROTOCOLS)

const mostBytes = (protocol: SyslogProtocol): number => (protocol === 'udp' ? SYSLOG_BYTES.udp : SYSLOG_BYTES.max)
const bytes = (protocol: SyslogProtocol): Field<number> => integer(SYSLOG_BYTES.min, mostBytes(protocol))
/** RFC 3164 and RFC 5425. */
const usualPort = (protocol: SyslogProtocol): number => (protocol === 'tls' ? 6514 : 514)

export const askPush = async (ask: Ask, from: SyslogPush | null): Promise<SyslogPush> => {
  const hostname = await ask.field('Hostname to deliver the logs:', host, from?.host)
  const question = 'Which protocol do you want to use to transfer the logs?'
  const initial = SYSLOG_PROTOCOLS.indexOf(from?.protocol ?? 'udp')
  const protocol = await ask.pick(question, SYSLOG_PROTOCOLS, (p) => p.toUpperCase(), initial)
  const same = from?.protocol === protocol ? from : null
  const number = await ask.field('Which port do you want to use?', port, same?.port ?? usualPort(protocol))
  const size = 'Maximum message size in bytes:'
  const maxBytes = await ask.field(size, bytes(protocol), same?.maxBytes ?? mostBytes(protocol))
  const which = 'Which facility do you want the log data to be sent as?'
  const at = SYSLOG_FACILITIES.indexOf(from?.facility ?? 'mail')
  const chosen = await ask.pick(which, SYSLOG_FACILITIES, (f) => f, at)
  const caQuestion = `Enter the path of the CA certificate of the syslog server, or '${SYSTEM}':`
  const path = protocol === 'tls' ? await ask.field(caQuestion, ca, from?.caFile ?? SYSTEM) : SYSTEM
  return { host: hostname, port: number, protocol, facility: chosen, maxBytes, caFile: path === SYSTEM ? null : path }
}

export const PUSH_USAGE =
  'logconfig push LOG_NAME HOST|off [--protocol=udp|tcp|tls] [--port=N] [--facility=NAME] [--max_size=BYTES] [--ca=PATH]'

export const PUSH_OPTIONS = {
  '--protocol=udp|tcp|tls': 'how the lines travel; udp when it is not given',
  '--port=N': 'the port of the syslog server: 514, for TLS 6514',
  '--facility=NAME': `one of: ${SYSLOG_FACILITIES.join(', ')}; mail when it is not given`,
  '--max_size=BYTES': 'longer messages are cut: 1024 to 9216 over UDP, to 65535 else',
  '--ca=PATH': "who signs the TLS server's certificate (PEM); the system's authorities when it is not given",
}

const value = <T>(field: Field<T>, text: string | undefined, initial: T): T => {
  if (text === undefined) return initial
  return readValue(field, text)
}

/** What the batch form says: the log's name, and where its lines are sent; null = nowhere. */
export const pushOf = (args: readonly string[]): { readonly name: string; readonly push: SyslogPush | null } => {
  const { words, options } = readForm(PUSH_USAGE, args, {
    min: 2,
    max: 2,
    values: ['protocol', 'port', 'facility', 'max_size', 'ca'],
  })
  const [name = '', where = ''] = words
  if (where === 'off') {
    if (Object.keys(options).length > 0) throw misused("'off' takes no options.", PUSH_USAGE)
    return { name, push: null }
  }
  const protocol = value(protocolWord, options['protocol'], 'udp')
  const path = value(ca, options['ca'], SYSTEM)
  if (path !== SYSTEM && protocol !== 'tls') throw misused('A CA certificate is for --protocol=tls.', PUSH_USAGE)
  return {
    name,
    push: {
      host: value(host, where, ''),
      protocol,
      port: value(port, options['port'], usualPort(protocol)),
      facility: value(facility, options['facility'], 'mail'),
      maxBytes: value(bytes(protocol), options['max_size'], mostBytes(protocol)),
      caFile: path === SYSTEM ? null : path,
    },
  }
}
