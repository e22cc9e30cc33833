import { PassThrough } from 'node:stream'
import type { Appliance } from '../../src/services/appliance.ts'
import type { DnsAnswer } from '../../src/services/network.ts'

const answer = (type: DnsAnswer['type'], value: string, more: Partial<DnsAnswer> = {}): DnsAnswer => ({
  type,
  value,
  ttlSeconds: null,
  ...more,
})
const RECORDS: readonly DnsAnswer[] = [
  answer('A', '192.0.2.25', { ttlSeconds: 172_800 }),
  answer('MX', 'mx1.example.net', { preference: 10 }),
  answer('MX', 'mx2.example.net', { preference: 20 }),
  answer('TXT', 'v=spf1 mx -all \u001b[31m'),
]

/**
 * The network of a recorded session: with `# names: yes` every name has the same records, with `# peer: TEXT` whoever is
 * connected to says TEXT (`\\e` is Esc) and closes. Else as it is.
 */
export const recordedNetwork = (
  network: Appliance['network'],
  settings: Readonly<Record<string, string>>,
): Appliance['network'] => {
  const { peer } = settings
  return {
    resolve:
      settings['names'] === undefined
        ? async (...wish) => await network.resolve(...wish)
        : async (_name, type) => RECORDS.filter((record) => record.type === type),
    connect:
      peer === undefined
        ? async (...wish) => await network.connect(...wish)
        : async () => {
            const socket = new PassThrough()
            socket.end(`${peer.replaceAll('\\e', '\u001b')}\r\n`)
            return { socket, address: '192.0.2.25' }
          },
  }
}
