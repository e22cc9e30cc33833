import { createHash, hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a Rice coder makes of ascending numbers, in the words of Safe Browsing v5. */
export const riceCoded = (numbers: readonly number[], riceParameter: number) => {
  const bits: number[] = []
  for (let n = 1; n < numbers.length; n++) {
    const delta = (numbers[n] as number) - (numbers[n - 1] as number)
    const size = 2 ** riceParameter
    for (let q = Math.floor(delta / size); q > 0; q--) bits.push(1)
    bits.push(0)
    for (let i = 0, rest = delta % size; i < riceParameter; i++, rest = Math.floor(rest / 2)) bits.push(rest % 2)
  }
  const data = Buffer.alloc(Math.ceil(bits.length / 8))
  bits.forEach((bit, at) => {
    data[at >> 3] = (data[at >> 3] as number) | (bit << (at & 7))
  })
  const [firstValue = 0] = numbers
  return { firstValue, riceParameter, entriesCount: numbers.length - 1, encodedData: data.toString('base64') }
}

const PARAMETER = 28
const digest = (expression: string): Buffer => hash('sha256', expression, 'buffer')
const byBytes = (expressions: readonly string[]): readonly Buffer[] =>
  expressions.map((e) => digest(e).subarray(0, 4)).sort((a, b) => a.compare(b))
const sum = (prefixes: readonly Buffer[]): string =>
  createHash('sha256').update(Buffer.concat(prefixes)).digest('base64')

/**
 * A provider of hash lists as Google's documents describe them: `threats` are expressions by list. It answers with
 * differences to a version that it gave before, and counts what it is asked.
 */
export const hashListProvider = (kind: 'safe-browsing' | 'web-risk') => {
  const threats = new Map<string, string[]>()
  const versions = new Map<string, readonly string[]>()
  const asked: string[] = []
  /** Prefixes that the lists hold although nothing is listed under them any more. */
  const stale: string[] = []
  const state = { wait: '300s', cache: '300s', broken: false, down: 0, retryAfter: '', now: () => new Date() }
  const current = (list: string): readonly string[] => [...(threats.get(list) ?? []), ...stale]

  const update = (list: string, version: string) => {
    const now = current(list)
    const before = versions.get(version) ?? null
    const next = `v${versions.size + 1}`
    versions.set(Buffer.from(next).toString('base64'), now)
    const old = byBytes(before ?? [])
    const all = byBytes(now)
    const has = (one: readonly Buffer[], p: Buffer): boolean => one.some((o) => o.equals(p))
    return {
      partial: before !== null,
      version: Buffer.from(next).toString('base64'),
      removals: old.flatMap((p, at) => (has(all, p) ? [] : [at])),
      additions: all.filter((p) => !has(old, p)),
      checksum: state.broken ? sum([digest('something else')]) : sum(all),
    }
  }
  const found = (prefix: Buffer) =>
    [...threats].flatMap(([list, expressions]) =>
      expressions
        .filter((e) => digest(e).subarray(0, 4).equals(prefix))
        .map((e) => ({ list, hash: digest(e).toString('base64') })),
    )
  const coded = (numbers: readonly number[]) =>
    riceCoded(
      [...numbers].sort((a, b) => a - b),
      PARAMETER,
    )

  const safeBrowsing = (url: URL): unknown => {
    const list = /\/hashList\/([^/]+)$/.exec(url.pathname)?.[1]
    const types: Readonly<Record<string, string>> = {
      'se-4b': 'SOCIAL_ENGINEERING',
      'mw-4b': 'MALWARE',
      'uws-4b': 'UNWANTED_SOFTWARE',
    }
    if (list !== undefined) {
      const u = update(list, url.searchParams.get('version') ?? '')
      return {
        name: list,
        version: u.version,
        partialUpdate: u.partial,
        ...(u.removals.length === 0 ? {} : { compressedRemovals: coded(u.removals) }),
        ...(u.additions.length === 0 ? {} : { additionsFourBytes: coded(u.additions.map((p) => p.readUInt32BE(0))) }),
        minimumWaitDuration: state.wait,
        sha256Checksum: u.checksum,
      }
    }
    const prefixes = url.searchParams.getAll('hashPrefixes').map((p) => Buffer.from(p, 'base64'))
    return {
      fullHashes: prefixes.flatMap(found).map((f) => ({
        fullHash: f.hash,
        fullHashDetails: [
          { threatType: types[f.list] ?? f.list, ...(f.list === 'canary' ? { attributes: ['CANARY'] } : {}) },
        ],
      })),
      cacheDuration: state.cache,
    }
  }
  const later = (duration: string): string =>
    new Date(state.now().getTime() + Number.parseFloat(duration) * 1000).toISOString()
  const webRisk = (url: URL): unknown => {
    if (url.pathname.endsWith('/threatLists:computeDiff')) {
      const u = update(url.searchParams.get('threatType') ?? '', url.searchParams.get('versionToken') ?? '')
      const { entriesCount: entryCount, ...rice } = coded(u.additions.map((p) => p.readUInt32LE(0)))
      return {
        responseType: u.partial ? 'DIFF' : 'RESET',
        ...(u.additions.length === 0
          ? {}
          : { additions: { riceHashes: { ...rice, firstValue: String(rice.firstValue), entryCount } } }),
        ...(u.removals.length === 0 ? {} : { removals: { rawIndices: { indices: u.removals } } }),
        newVersionToken: u.version,
        checksum: { sha256: u.checksum },
        recommendedNextDiff: later(state.wait),
      }
    }
    const prefix = Buffer.from(url.searchParams.get('hashPrefix') ?? '', 'base64')
    return {
      threats: found(prefix).map((f) => ({ threatTypes: [f.list], hash: f.hash, expireTime: later(state.cache) })),
      negativeExpireTime: later(state.cache),
    }
  }

  return {
    state,
    threats,
    stale,
    asked,
    answer: (request: IncomingMessage, response: ServerResponse): void => {
      const url = new URL(request.url ?? '', 'https://provider.example')
      asked.push(`${url.pathname}${url.search}`)
      if (request.headers['x-goog-api-key'] !== 'secret-key') return void response.writeHead(403).end('{}')
      if (state.down > 0)
        return void response
          .writeHead(state.down, state.retryAfter === '' ? {} : { 'retry-after': state.retryAfter })
          .end()
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(kind === 'safe-browsing' ? safeBrowsing(url) : webRisk(url)))
    },
  }
}
