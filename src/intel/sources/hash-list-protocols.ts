import type { IntelSource } from '../../config/sections/intelligence.ts'
import { EMPTY_LIST, listOfBytes, listOfNumbers, merged, swapped } from './hash-list.ts'
import type { HashList, HashListChange } from './hash-list.ts'
import { FeedFault } from './port.ts'
import { riceNumbers } from './rice.ts'

/**
 * How the providers of hash lists speak: Google's Safe Browsing v5 (`hashList.get`, `hashes.search`) and Web Risk v1
 * (`threatLists.computeDiff`, `hashes.search`), both as JSON. docs/intelligence/verdicts.md says what is made of it.
 */
export interface HashListProtocol {
  /** Names of the lists, as the provider has them. */
  readonly lists: readonly string[]
  /** Path and query behind the source's URL for what changed since `version` ('' = everything). */
  readonly updatePath: (list: string, version: string) => string
  /** @throws FeedFault */
  readonly readUpdate: (text: string, now: number) => ListUpdate
  /** Prefixes that one question may hold. */
  readonly batch: number
  readonly searchPath: (prefixes: readonly Buffer[]) => string
  /** @throws FeedFault */
  readonly readSearch: (text: string, now: number) => SearchAnswer
}

export interface ListUpdate {
  readonly change: HashListChange
  readonly version: string
  /** The provider wants no question before. */
  readonly waitMs: number
}

export interface SearchAnswer {
  /** Whole hashes, hexadecimal, and the threats (`MALWARE`…) under them. */
  readonly threats: readonly { readonly hash: string; readonly threat: string; readonly ttlMs: number }[]
  /** The answer counts so long for the prefixes as a whole. */
  readonly ttlMs: number
}

type Json = { readonly [key: string]: unknown }
const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(record) : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number => {
  const n = Number(value ?? 0)
  if (!Number.isSafeInteger(n) || n < 0) throw new FeedFault('an answer holds a number that cannot be')
  return n
}
const bytes = (value: unknown): Buffer => Buffer.from(text(value), 'base64')
const json = (answer: string): Json => {
  try {
    return record(JSON.parse(answer) as unknown)
  } catch {
    throw new FeedFault('an answer is not valid JSON')
  }
}
/** `300s`, `12.5s` */
const durationMs = (value: unknown): number => {
  const seconds = /^(\d{1,7})(?:\.\d+)?s$/.exec(text(value))?.[1]
  return Number(seconds ?? 0) * 1000
}
const untilMs = (value: unknown, now: number): number => {
  const at = Date.parse(text(value))
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}
const sha256 = (value: unknown): Buffer | null => (text(value) === '' ? null : bytes(value))

const rice = (value: unknown, count: string): Uint32Array => {
  const coded = record(value)
  return riceNumbers({
    first: number(coded['firstValue']),
    parameter: number(coded['riceParameter']),
    count: number(coded[count]),
    data: bytes(coded['encodedData']),
  })
}

const safeBrowsing: HashListProtocol = {
  lists: ['se-4b', 'mw-4b', 'uws-4b'],
  updatePath: (name, version) =>
    `hashList/${name}?alt=json${version === '' ? '' : `&version=${encodeURIComponent(version)}`}`,
  readUpdate: (answer) => {
    const read = json(answer)
    const additions = read['additionsFourBytes']
    return {
      change: {
        whole: read['partialUpdate'] !== true,
        removals: read['compressedRemovals'] === undefined ? [] : rice(read['compressedRemovals'], 'entriesCount'),
        additions: additions === undefined ? EMPTY_LIST : listOfNumbers(rice(additions, 'entriesCount')),
        sha256: sha256(read['sha256Checksum']),
      },
      version: text(read['version']),
      waitMs: durationMs(read['minimumWaitDuration']),
    }
  },
  batch: 500,
  searchPath: (prefixes) =>
    `hashes:search?alt=json${prefixes.map((p) => `&hashPrefixes=${encodeURIComponent(p.toString('base64'))}`).join('')}`,
  readSearch: (answer) => {
    const read = json(answer)
    const ttlMs = durationMs(read['cacheDuration'])
    return {
      ttlMs,
      threats: list(read['fullHashes']).flatMap((found) =>
        list(found['fullHashDetails'])
          // A canary is not to be acted on, and what counts in frames only is no link of a mail.
          .filter((d) => !(Array.isArray(d['attributes']) && d['attributes'].length > 0))
          .map((d) => ({ hash: bytes(found['fullHash']).toString('hex'), threat: text(d['threatType']), ttlMs })),
      ),
    }
  },
}

const THREATS = ['SOCIAL_ENGINEERING', 'MALWARE', 'UNWANTED_SOFTWARE'] as const

const webRiskAdditions = (value: unknown): HashList => {
  const read = record(value)
  const raw = list(read['rawHashes']).map((r) => listOfBytes(bytes(r['rawHashes']), number(r['prefixSize'])))
  // Their numbers are the bytes from the wrong end.
  const coded = read['riceHashes']
  const all = coded === undefined ? raw : [...raw, listOfNumbers(swapped(rice(coded, 'entryCount')))]
  return all.reduce((one, other) => merged(one, [], other), EMPTY_LIST)
}

const webRiskRemovals = (value: unknown): ArrayLike<number> => {
  const read = record(value)
  const { indices } = record(read['rawIndices'])
  if (Array.isArray(indices)) return indices.map(number)
  return read['riceIndices'] === undefined ? [] : rice(read['riceIndices'], 'entryCount')
}

const webRisk: HashListProtocol = {
  lists: THREATS,
  updatePath: (name, version) =>
    `threatLists:computeDiff?threatType=${name}&constraints.supportedCompressions=RICE` +
    (version === '' ? '' : `&versionToken=${encodeURIComponent(version)}`),
  readUpdate: (answer, now) => {
    const read = json(answer)
    if (read['responseType'] !== 'DIFF' && read['responseType'] !== 'RESET')
      throw new FeedFault('an answer is neither a list nor a change of one')
    return {
      change: {
        whole: read['responseType'] === 'RESET',
        removals: webRiskRemovals(read['removals']),
        additions: webRiskAdditions(read['additions']),
        sha256: sha256(record(read['checksum'])['sha256']),
      },
      version: text(read['newVersionToken']),
      waitMs: untilMs(read['recommendedNextDiff'], now),
    }
  },
  batch: 1,
  searchPath: ([prefix]) =>
    `hashes:search?hashPrefix=${encodeURIComponent(prefix?.toString('base64') ?? '')}` +
    THREATS.map((t) => `&threatTypes=${t}`).join(''),
  readSearch: (answer, now) => {
    const read = json(answer)
    return {
      ttlMs: untilMs(read['negativeExpireTime'], now),
      threats: list(read['threats']).flatMap((found) =>
        (Array.isArray(found['threatTypes']) ? found['threatTypes'] : []).map((threat) => ({
          hash: bytes(found['hash']).toString('hex'),
          threat: text(threat),
          ttlMs: untilMs(found['expireTime'], now),
        })),
      ),
    }
  },
}

export const HASH_LIST_PROTOCOLS = {
  'safe-browsing': safeBrowsing,
  'web-risk': webRisk,
} as const satisfies Partial<Record<IntelSource['format'], HashListProtocol>>
