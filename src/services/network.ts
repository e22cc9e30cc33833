import type { Duplex } from 'node:stream'

export interface DnsAnswer {
  /** `A=192.0.34.166 TTL=2d` is made of these by nslookup. */
  readonly type: string
  readonly value: string
  readonly preference?: number
  readonly ttlSeconds: number | null
}

export const DNS_TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'TXT'] as const
export type DnsType = (typeof DNS_TYPES)[number]

/** The operator's network tools. Every call ends by time-out or signal. */
export interface NetworkTools {
  resolve(name: string, type: DnsType, signal: AbortSignal): Promise<readonly DnsAnswer[]>
  /** A raw TCP connection; rejects with Fault UPSTREAM_UNAVAILABLE or TIMED_OUT. */
  connect(
    host: string,
    port: number,
    signal: AbortSignal,
    /** An address of ours to connect from; absent = the system chooses. */
    localAddress?: string,
  ): Promise<{ readonly socket: Duplex; readonly address: string }>
}
