import { loadOwnCa } from '../../src/adapters/crypto/ca.ts'
import { createHttpExchange } from '../../src/adapters/http/exchange.ts'
import { createRemoteLookup } from '../../src/adapters/http/intel-client.ts'
import { startIntelServer } from '../../src/adapters/http/intel-server.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import type { IntelLookup } from '../../src/intel/lookup.ts'
import type { IntelService } from '../../src/intel/service/service.ts'
import { secondsSince, table } from './measure.ts'

const SERIAL = 'BENCH-0000'
/** URLs of a message. */
const BATCH = 10
const FLYING = 8

/** URLs a second for so long; one in eleven is one that the feed names. */
const rate = async (
  lookup: IntelLookup,
  lines: readonly string[],
  seconds: number,
  flying: number,
): Promise<string> => {
  const { signal } = new AbortController()
  const start = performance.now()
  let count = 0
  const one = async (): Promise<void> => {
    while (secondsSince(start) < seconds) {
      const from = count
      count += BATCH
      const urls = Array.from({ length: BATCH }, (_, i) =>
        (from + i) % 11 === 0
          ? (lines[(from * 7) % lines.length] ?? '')
          : `https://www.site${from + i}.example/news/2026/${from}?utm=${i}`,
      )
      await lookup.urls(urls, signal)
    }
  }
  await Promise.all(Array.from({ length: flying }, one))
  return Math.round(count / secondsSince(start)).toLocaleString('en')
}

export const lookups = async (options: {
  readonly service: IntelService
  readonly lines: readonly string[]
  readonly home: string
  readonly seconds: number
}): Promise<string> => {
  const { service, lines, seconds } = options
  const tls = await loadOwnCa(options.home, ['127.0.0.1'], { clock: systemClock, entropy: systemEntropy })
  const server = await startIntelServer({ service, tls, host: '127.0.0.1', port: 0 })
  const http = createHttpExchange(systemClock)
  try {
    const settings = {
      endpoint: { url: server.uri, ca: tls.caPem, proxy: null },
      organization: 'bench',
      deviceSecret: await service.devices.enrol(SERIAL),
      hashSubmissions: true,
    }
    const client = { http, serial: SERIAL, version: 'bench', entropy: systemEntropy, watched: () => [] }
    const remote = (hashLookups: boolean): IntelLookup =>
      createRemoteLookup({ ...client, settings: () => ({ ...settings, hashLookups }) })
    return [
      `Verdicts, ${lines.length.toLocaleString('en')} indicators loaded, messages of ${BATCH} URLs nobody's cache knows; client and service share the process.`,
      '',
      table(
        ['look-ups', 'URLs a second'],
        [
          ['in process', await rate(service.lookup, lines, seconds, 1)],
          [`over HTTPS, ${FLYING} messages at a time`, await rate(remote(false), lines, seconds, FLYING)],
          ['over HTTPS by prefixes of hashes, likewise', await rate(remote(true), lines, seconds, FLYING)],
        ],
      ),
    ].join('\n')
  } finally {
    await http.close()
    await server.stop(100)
  }
}
