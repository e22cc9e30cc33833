/* What the operator's diagnostic commands see of the network and of this machine. Every call ends by time-out or signal. */

export const PROGRAMS = ['ping', 'traceroute'] as const
export type ProgramName = (typeof PROGRAMS)[number]

/** What a program of the system is asked. */
export interface ProgramWish {
  readonly host: string
  /** How often; null = until it is stopped. */
  readonly count: number | null
  /** An address of ours to send from; null = the system chooses. */
  readonly source: string | null
}

export interface DnsQuestion {
  readonly name: string
  /** `MX`, or `TYPE65` for one without a name here. */
  readonly type: string
  /** An address; null = the first name server of the machine. */
  readonly server: string | null
  /** The address to ask from; null = as the system chooses. */
  readonly source: string | null
  readonly tcp: boolean
}

export interface DnsRecord {
  readonly name: string
  readonly ttlSeconds: number
  readonly type: string
  /** As a zone file has it, not yet escaped for a terminal. */
  readonly data: string
}

export interface DnsReply {
  readonly id: number
  readonly opcode: number
  readonly rcode: number
  /** `qr`, `aa`, `tc`, `rd`, `ra`, `ad`, `cd`. */
  readonly flags: readonly string[]
  readonly question: readonly { readonly name: string; readonly type: string }[]
  readonly answer: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  readonly additional: readonly DnsRecord[]
  readonly server: string
  readonly port: number
  readonly bytes: number
  readonly milliseconds: number
  readonly tcp: boolean
}

export interface Socket {
  /** `tcp4`, `udp6`… */
  readonly protocol: string
  readonly receiveQueue: number
  readonly sendQueue: number
  /** Address and port; `*` where any. */
  readonly local: string
  readonly remote: string
  /** Empty for UDP. */
  readonly state: string
}

export interface InterfaceState {
  readonly name: string
  readonly mtu: number | null
  readonly addresses: readonly { readonly family: 4 | 6; readonly address: string; readonly network: string }[]
  readonly input: Traffic
  readonly output: Traffic
  readonly collisions: number
}
export interface Traffic {
  readonly bytes: number
  readonly packets: number
  readonly errors: number
  readonly drops: number
}

export interface Route {
  readonly family: 4 | 6
  readonly destination: string
  /** null = the network is at the interface itself. */
  readonly gateway: string | null
  readonly flags: string
  readonly interface: string
}

export interface ArpEntry {
  readonly address: string
  readonly hardware: string
  readonly interface: string
  readonly complete: boolean
}

export interface MachineNetwork {
  sockets(): Promise<readonly Socket[]>
  interfaces(): Promise<readonly InterfaceState[]>
  routes(): Promise<readonly Route[]>
  arp(): Promise<readonly ArpEntry[]>
}

export interface SmtpReply {
  readonly code: number
  readonly lines: readonly string[]
}

export interface PeerCertificate {
  readonly protocol: string
  readonly cipher: string
  readonly commonName: string | null
  /** Host names that it stands for. */
  readonly names: readonly string[]
  readonly validTo: string
  /** Why it is not trusted; null = it is. */
  readonly distrust: string | null
  /** Whether it was made out for this name. */
  covers(name: string): boolean
}

/** One connection to an SMTP server, spoken to line by line. Rejects with Fault. */
export interface SmtpProbe {
  readonly address: string
  readonly greeting: SmtpReply
  command(line: string): Promise<SmtpReply>
  /** After `STARTTLS` was answered 220. */
  secure(servername: string): Promise<PeerCertificate>
  close(): void
}

export interface Diagnostics {
  /** Lines of a program of the system, as they come; ends it when the signal aborts. @throws UserError at once when it is not installed. */
  run(program: ProgramName, wish: ProgramWish, signal: AbortSignal): AsyncIterable<string>
  dig(question: DnsQuestion, signal: AbortSignal): Promise<DnsReply>
  readonly machine: MachineNetwork
  /** `source`: an address of ours to connect from; null = the system chooses. */
  smtp(address: string, port: number, source: string | null, signal: AbortSignal): Promise<SmtpProbe>
}
