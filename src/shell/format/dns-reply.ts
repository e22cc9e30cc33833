import { printable } from '../../core/text.ts'
import type { DnsRecord, DnsReply } from '../../services/diagnostics.ts'

const OPCODES = ['QUERY', 'IQUERY', 'STATUS', 'RESERVED3', 'NOTIFY', 'UPDATE']
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET']

const record = ({ name, ttlSeconds, type, data }: DnsRecord): string =>
  `${printable(name).padEnd(24)}${String(ttlSeconds).padEnd(8)}IN      ${type.padEnd(8)}${printable(data)}`

const section = (title: string, records: readonly DnsRecord[]): readonly string[] =>
  records.length === 0 ? [] : [`;; ${title} SECTION:`, ...records.map(record), '']

/** An answer in the form of `dig`. */
export const replyLines = (reply: DnsReply, when: string): readonly string[] => [
  ';; Got answer:',
  `;; ->>HEADER<<- opcode: ${OPCODES[reply.opcode] ?? reply.opcode}, status: ${RCODES[reply.rcode] ?? reply.rcode}, id: ${reply.id}`,
  `;; flags: ${reply.flags.join(' ')}; QUERY: ${reply.question.length}, ANSWER: ${reply.answer.length}, ` +
    `AUTHORITY: ${reply.authority.length}, ADDITIONAL: ${reply.additional.length}`,
  '',
  ';; QUESTION SECTION:',
  ...reply.question.map(({ name, type }) => `;${printable(name).padEnd(31)}IN      ${type}`),
  '',
  ...section('ANSWER', reply.answer),
  ...section('AUTHORITY', reply.authority),
  ...section('ADDITIONAL', reply.additional),
  `;; Query time: ${reply.milliseconds} msec`,
  `;; SERVER: ${reply.server}#${reply.port} (${reply.tcp ? 'TCP' : 'UDP'})`,
  `;; WHEN: ${when}`,
  `;; MSG SIZE  rcvd: ${reply.bytes}`,
]
