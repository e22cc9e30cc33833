import { createHash } from 'node:crypto'
import type { IntelSource } from '../../config/sections/intelligence.ts'
import { UserError } from '../../core/errors.ts'
import { FeedFault } from './port.ts'
import type { FeedAnswer, FeedFetch, SourceFiles } from './port.ts'

/** The content of a source, unless it is what it was. */
export type Content =
  { readonly kind: 'same' } | { readonly kind: 'new'; readonly text: string; readonly fingerprint: string }

export const isFeed = (path: string): boolean => /^https:/i.test(path)

const MAX_BYTES = 64 * 1024 * 1024
const MAX_MISP_EVENTS = 500
/** One question for the last days; ThreatFox has no file of all. */
const THREATFOX_QUERY = { query: 'get_iocs', days: 7 }

export const readFile = async (files: SourceFiles, path: string, known: string | null, signal: AbortSignal) => {
  const { fingerprint, bytes } = await files.identity(path)
  if (fingerprint === known) return { kind: 'same' } as const
  if (bytes > MAX_BYTES) throw new UserError(`${path} is larger than ${MAX_BYTES} bytes.`)
  return { kind: 'new', text: await files.read(path, MAX_BYTES, signal), fingerprint } as const
}

interface Stamp {
  readonly etag: string | null
  readonly modified: string | null
  readonly hash: string
}

const stampOf = (known: string | null): Stamp | null => {
  try {
    return known === null ? null : (JSON.parse(known) as Stamp)
  } catch {
    return null
  }
}

/** @throws FeedFault */
export const readFeed = async (
  feeds: FeedFetch,
  source: IntelSource,
  known: string | null,
  signal: AbortSignal,
): Promise<Content> => {
  const before = stampOf(known)
  const { path, key, format } = source
  const get = (url: string, maxBytes: number, stamp: Stamp | null): Promise<FeedAnswer> =>
    feeds.get(
      {
        url: url.replaceAll('{key}', encodeURIComponent(key ?? '')),
        key: path.includes('{key}') ? null : key,
        body: format === 'threatfox' ? THREATFOX_QUERY : null,
        etag: stamp?.etag ?? null,
        modified: stamp?.modified ?? null,
        maxBytes,
      },
      signal,
    )
  const answer = await get(path, MAX_BYTES, before)
  if (answer.kind === 'unchanged') return { kind: 'same' }
  const { etag, modified } = answer
  const hash = createHash('sha256').update(answer.text).digest('hex')
  if (hash === before?.hash) return { kind: 'same' }
  const text = format === 'misp' ? await mispEvents(answer.text, path, get) : answer.text
  return { kind: 'new', text, fingerprint: JSON.stringify({ etag, modified, hash } satisfies Stamp) }
}

/** The newest events that a MISP feed's `manifest.json` names, as one list. */
const mispEvents = async (
  manifest: string,
  path: string,
  get: (url: string, maxBytes: number, stamp: null) => Promise<FeedAnswer>,
): Promise<string> => {
  const events = eventNames(manifest)
  const texts: string[] = []
  let room = MAX_BYTES
  for (const uuid of events) {
    const answer = await get(path.replace(/[^/]*$/, `${uuid}.json`), room, null)
    if (answer.kind !== 'content') continue
    room -= Buffer.byteLength(answer.text)
    texts.push(answer.text)
  }
  return `[${texts.join(',')}]`
}

const eventNames = (manifest: string): readonly string[] => {
  let parsed: unknown
  try {
    parsed = JSON.parse(manifest)
  } catch {
    throw new FeedFault('the manifest is not valid JSON')
  }
  if (typeof parsed !== 'object' || parsed === null) throw new FeedFault('the manifest names no events')
  const age = (entry: unknown): number => Number((entry as { timestamp?: unknown } | null)?.timestamp ?? 0) || 0
  return Object.entries(parsed)
    .filter(([uuid]) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid))
    .sort(([, a], [, b]) => age(b) - age(a))
    .slice(0, MAX_MISP_EVENTS)
    .map(([uuid]) => uuid)
}
