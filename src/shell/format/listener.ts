import { addressOn } from '../../config/sections/interfaces.ts'
import type { Interfaces } from '../../config/sections/interfaces.ts'
import type { Listener } from '../../config/sections/listeners.ts'

/** `1. InboundMail (on Data 1, 192.168.2.1) SMTP TCP Port 25 Public` */
export const listenerLine = (l: Listener, settings: Interfaces): string =>
  `${l.name} (on ${l.interfaceName}, ${addressOn(l, settings) ?? 'no address'}) ${l.implicitTls ? 'SMTPS' : 'SMTP'} TCP Port ${l.port} ${l.type === 'public' ? 'Public' : 'Private'}`

/** What `listenerconfig > EDIT` shows of a listener. */
export const listenerDetail = (l: Listener, settings: Interfaces): readonly string[] => [
  `Name: ${l.name}`,
  `Type: ${l.type === 'public' ? 'Public' : 'Private'}`,
  `Interface: ${l.interfaceName} (${addressOn(l, settings) ?? 'no address'}) TCP Port ${l.port}`,
  `Protocol: ${l.implicitTls ? 'SMTPS' : 'SMTP'}`,
  `Max Concurrent Connections: ${l.maxConcurrency}`,
  `TLS: ${l.implicitTls ? 'From the beginning' : { off: 'No', preferred: 'Preferred', required: 'Required' }[l.tls]}`,
  `Certificates: ${l.certificates.length === 0 ? "The appliance's own" : l.certificates.join(', ')}`,
  `SMTP Authentication: ${{ off: 'Disabled', preferred: 'Preferred', required: 'Required' }[l.smtpAuth]}`,
  `Bare CR and LF: ${l.bareNewlines === 'reject' ? 'Rejected' : 'Converted to CRLF'}`,
  `PROXY Protocol: ${l.proxyAddresses.length === 0 ? 'Off' : l.proxyAddresses.join(', ')}`,
  `Recipient Validation: ${recipientValidation(l)}`,
]

const recipientValidation = (l: Listener): string =>
  l.recipientValidation === 'list'
    ? `Address List ${l.recipientList}`
    : l.recipientValidation === 'callahead'
      ? `SMTP Call-Ahead ${l.callAheadProfile}`
      : { off: 'Off', mailboxes: 'Embedded Mailboxes' }[l.recipientValidation]
