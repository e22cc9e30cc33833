/** DNS as an argument. Answers and errors (`code` ENOTFOUND, ENODATA, ETIMEOUT, ESERVFAIL) as node:dns/promises gives them. */
export interface Resolver {
  /** Shape of `dns.promises.resolve`: A/AAAA string[], MX {exchange, priority}[], TXT string[][], SOA object… */
  resolve(name: string, rrtype: string): Promise<unknown>
  reverse(address: string): Promise<readonly string[]>
}
