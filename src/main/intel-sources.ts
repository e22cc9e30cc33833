import { mkdirSync } from 'node:fs'
import * as path from 'node:path'
import { KNOWN_FEEDS, licenceOf } from '../intel/sources/known.ts'
import { LOADED } from '../intel/sources/loader.ts'
import { isDnsList, SOURCE_FORMATS, SOURCE_LEVELS } from '../config/sections/intelligence.ts'
import type { IntelSource } from '../config/sections/intelligence.ts'
import { UserError } from '../core/errors.ts'
import { printableCut } from '../core/text.ts'
import type { IntelSourceStatus } from '../intel/lookup.ts'
import { ageText } from '../intel/describe.ts'
import { readText, writeText } from './intel-files.ts'

/** The sources of a service that runs alone: `<home>/intel/sources.json`, 0600, which `serve` looks at again and again. */
const FILE = 'sources.json'

export const keptSources = (directory: string): readonly IntelSource[] => {
  const text = readText(directory, FILE)
  if (text === null) return []
  try {
    return JSON.parse(text) as readonly IntelSource[]
  } catch {
    throw new UserError(`${path.join(directory, FILE)} is not valid JSON. Remove it, and load the sources again.`)
  }
}

export const keepSource = (directory: string, source: IntelSource): void => {
  const others = keptSources(directory).filter((s) => s.name !== source.name)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeText(directory, FILE, JSON.stringify([...others, source]))
}

export const dropSource = (directory: string, name: string): void => {
  const kept = keptSources(directory)
  if (kept.some((s) => s.name === name)) writeText(directory, FILE, JSON.stringify(kept.filter((s) => s.name !== name)))
}

export interface SourceWords {
  readonly format?: string | undefined
  readonly level?: string | undefined
  readonly category?: string | undefined
  readonly refresh?: string | undefined
  /** Path of a file that holds the provider's key: a key in the words of a command would be seen by everybody. */
  readonly 'key-file'?: string | undefined
}

const oneOf = <T extends string>(option: string, word: string, words: readonly T[]): T => {
  const found = words.find((w) => w === word)
  if (found === undefined) throw new UserError(`--${option} must be one of: ${words.join(', ')}.`)
  return found
}

/** `load NAME [FILE|URL]`: without a place, a feed that is known by its name. @throws UserError */
export const sourceOf = (name: string, place: string | undefined, words: SourceWords): IntelSource => {
  const known = KNOWN_FEEDS.find((f) => f.name === name)
  if (place === undefined && known === undefined)
    throw new UserError(
      `'${printableCut(name, 64)}' is no feed known here (${KNOWN_FEEDS.map((f) => f.name).join(', ')}). Give its file or URL.`,
    )
  if (!/^[A-Za-z0-9_.-]{1,57}$/.test(name))
    throw new UserError("The name must have 1 to 57 letters, digits, '.', '_' and '-'.")
  const feed = place === undefined ? known : undefined
  const keyFile = words['key-file']
  const key = keyFile === undefined ? null : readText(path.dirname(path.resolve(keyFile)), path.basename(keyFile))
  if (keyFile !== undefined && key === null) throw new UserError(`${keyFile} does not exist.`)
  if (feed?.needsKey && key === null)
    throw new UserError(`'${name}' needs the key that its provider issued: --key-file FILE.`)
  const refresh = Number(words.refresh ?? feed?.refreshSeconds ?? 3600)
  if (!Number.isInteger(refresh) || refresh < 10 || refresh > 604_800)
    throw new UserError('--refresh must be a number of seconds from 10 to 604800.')
  const where = place ?? feed?.path ?? ''
  const source: IntelSource = {
    name: `${LOADED}${name}`,
    enabled: true,
    format: oneOf('format', words.format ?? feed?.format ?? 'lines', SOURCE_FORMATS),
    path: /^https?:/i.test(where) || feed !== undefined ? where : path.resolve(where),
    key,
    level: oneOf('level', words.level ?? feed?.level ?? 'untrusted', SOURCE_LEVELS),
    category: words.category ?? feed?.category ?? '',
    refreshSeconds: refresh,
  }
  if (isDnsList(source)) throw new UserError('A DNS list is asked by a gateway: add it there with intelconfig sources.')
  return source
}

/** `blocklist: 12 indicators, loaded 3 minutes ago, /path (lines), terms …` */
export const sourceLine = (source: IntelSource, status: IntelSourceStatus, now: Date): string =>
  [
    `${source.name.slice(LOADED.length)}: ${status.indicators} indicators`,
    status.loadedAt === null ? 'not loaded yet' : `loaded ${ageText(status.loadedAt, now)}`,
    `${source.path} (${source.format}, every ${source.refreshSeconds} s)`,
    ...(licenceOf(source.path) === null ? [] : [`terms: ${licenceOf(source.path) ?? ''}`]),
    ...(status.error === null ? [] : [status.error]),
  ].join(', ')
