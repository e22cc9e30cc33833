import type { Listener } from '../../config/sections/listeners.ts'

/** `1. InboundMail (on Data 1, 192.168.2.1) SMTP TCP Port 25 Public` */
export const listenerLine = (l: Listener): string =>
  `${l.name} (on ${l.interfaceName}, ${l.address}) SMTP TCP Port ${l.port} ${l.type === 'public' ? 'Public' : 'Private'}`

const TLS = { off: 'No', preferred: 'Preferred', required: 'Required' } as const
const megabytes = (bytes: number): string =>
  bytes % 1_048_576 === 0 ? `${bytes / 1_048_576}M` : bytes % 1024 === 0 ? `${bytes / 1024}K` : String(bytes)

/** What `listenerconfig > EDIT` shows of a listener. */
export const listenerDetail = (l: Listener): readonly string[] => [
  `Name: ${l.name}`,
  `Type: ${l.type === 'public' ? 'Public' : 'Private'}`,
  `Interface: ${l.interfaceName} (${l.address}) TCP Port ${l.port}`,
  'Protocol: SMTP',
  `Max Concurrent Connections: ${l.maxConcurrency}`,
  `Max Concurrent Connections From A Single IP: ${l.maxConcurrencyPerAddress}`,
  `Max Messages Per Connection: ${l.maxMessagesPerConnection}`,
  `Max Recipients Per Message: ${l.maxRecipients}`,
  `Max Message Size: ${megabytes(l.maxMessageBytes)}`,
  `Bare CR and LF: ${l.bareNewlines === 'reject' ? 'Rejected' : 'Converted to CRLF'}`,
  `TLS: ${TLS[l.tls]}`,
  `Accepted Domains: ${l.acceptDomains.length === 0 ? 'None' : l.acceptDomains.join(', ')}`,
  `Relay Hosts: ${l.relayHosts.length === 0 ? 'None' : l.relayHosts.join(', ')}`,
]
