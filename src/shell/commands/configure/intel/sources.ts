import {
  intelligence,
  isDnsList,
  isHashList,
  SOURCE_FORMATS,
  SOURCE_LEVELS,
} from '../../../../config/sections/intelligence.ts'
import type { IntelSource } from '../../../../config/sections/intelligence.ts'
import { UserError } from '../../../../core/errors.ts'
import { fail, ok } from '../../../../core/result.ts'
import { integer, oneOf, text } from '../../../../core/schema.ts'
import type { Field } from '../../../../core/schema.ts'
import { printable, printableCut } from '../../../../core/text.ts'
import { KNOWN_FEEDS, licenceOf } from '../../../../intel/sources/known.ts'
import type { KnownFeed } from '../../../../intel/sources/known.ts'
import type { Form, Session } from '../../../command.ts'
import { readForm, readValue, wordForm } from '../../../options.ts'

/** The part of intelconfig about files and feeds of verdicts. */

const REFRESH_SECONDS = 300

const format = oneOf(SOURCE_FORMATS)
const level = oneOf(SOURCE_LEVELS)
const name: Field<string> = {
  parse: (s) =>
    /^[A-Za-z0-9_.-]{1,64}$/.test(s.trim()) && s.trim() !== 'operator'
      ? ok(s.trim())
      : fail("The name must have 1 to 64 letters, digits, '.', '_' and '-', and not be 'operator'."),
  format: (s) => s,
}

const all = (session: Session): readonly IntelSource[] => session.draft.get(intelligence).sources

const stage = (session: Session, sources: readonly IntelSource[]): void =>
  session.draft.set(intelligence, { ...session.draft.get(intelligence), sources: [...sources] })

const find = (session: Session, wanted: string): IntelSource => {
  const source = all(session).find((s) => s.name === wanted)
  if (!source) throw new UserError(`There is no source '${printableCut(wanted, 64)}'.`)
  return source
}

const add = (session: Session, source: IntelSource): void => {
  if (all(session).some((s) => s.name === source.name))
    throw new UserError(`There is a source '${source.name}' already.`)
  stage(session, [...all(session), source])
  const licence = licenceOf(source.path)
  session.print(
    `Source '${source.name}' added. It is ${isDnsList(source) ? 'asked' : 'read'} after commit.`,
    ...(licence === null ? [] : [`Terms of use: ${licence}.`]),
  )
}

const drop = (session: Session, wanted: string): void => {
  const source = find(session, wanted)
  stage(
    session,
    all(session).filter((s) => s !== source),
  )
  session.print(`Source '${source.name}' deleted. What it said counts until commit.`)
}

const unitOf = (source: IntelSource | undefined): string =>
  source !== undefined && isHashList(source) ? 'prefixes of hashes' : 'indicators'

const refresh = async (session: Session, wanted: string): Promise<void> => {
  const interrupt = session.terminal.untilInterrupt()
  try {
    const indicators = await session.appliance.intel.refresh(wanted, interrupt.signal)
    const source = session.appliance.config.running.get(intelligence).sources.find((s) => s.name === wanted)
    session.print(
      source && isDnsList(source)
        ? `Source '${printable(wanted)}' checked: it answers.`
        : `Source '${printable(wanted)}' refreshed: ${indicators} ${unitOf(source)}.`,
    )
  } finally {
    interrupt.done()
  }
}

export const sourceLines = (session: Session): readonly string[] => {
  const sources = all(session)
  if (sources.length === 0) return ['No sources configured. Add a feed with: intelconfig sources add openphish']
  const known = new Map(session.appliance.intel.sources().map((s) => [s.name, s]))
  return sources.flatMap((source) => {
    const status = known.get(source.name)
    const { time } = session.appliance
    const at = status?.loadedAt ? `, loaded ${time.stampZone(status.loadedAt)}` : ', not loaded yet'
    const checked = status?.checkedAt ? `, checked ${time.stampZone(status.checkedAt)}` : ''
    const loaded = isDnsList(source)
      ? `(${source.format}), asked by DNS${checked || ', not checked yet'}${status?.error ? ', not in use' : ''}`
      : `(${source.format}, ${source.level}), ${status?.indicators ?? 0} ${unitOf(source)}${at}${checked}`
    return [
      `Source '${source.name}': ${printable(source.path)} ${loaded}`,
      ...(status?.licence ? [`  Terms of use: ${status.licence}`] : []),
      ...(status?.error ? [`  ${printable(status.error)}`] : []),
    ]
  })
}

/** A key does not belong into a script's words: only the dialogue asks for it. */
const askKey = async ({ ask }: Session, path: string): Promise<string | null> => {
  if (!/^https:/i.test(path) && !path.includes('{key}')) return null
  const question = "Enter the key that the provider issued, or 'none':"
  const key = await ask.field(question, text({ max: 512 }), 'none', { secret: true })
  return key === 'none' ? null : key
}

const askNew = async (session: Session): Promise<void> => {
  const { ask } = session
  const called = await ask.field('Enter a name for the source:', name)
  const feed = KNOWN_FEEDS.find((f) => f.name === called)
  if (feed) return add(session, fromKnown(feed, await askKey(session, feed.path)))
  const question =
    'Enter the path of the file (a name without / lies in the configuration directory), an https URL, or the zone of a DNS list:'
  const path = await ask.field(question, text())
  add(session, {
    name: called,
    enabled: true,
    path,
    key: await askKey(session, path),
    format: await ask.field(`Enter the format (${SOURCE_FORMATS.join(', ')}):`, format, 'lines'),
    level: await ask.field(`Enter the level of what it lists (${SOURCE_LEVELS.join(', ')}):`, level, 'untrusted'),
    category: (await ask.optional('Enter the category of what it lists:', text())) ?? '',
    refreshSeconds: await ask.field(
      'Enter how often the source is looked at, in seconds:',
      integer(10, 604_800),
      REFRESH_SECONDS,
    ),
  })
}

export const askSources = async (session: Session): Promise<void> => {
  const { ask } = session
  const some = all(session).length > 0
  const operation = await ask.choose({
    NEW: 'Add a file or a feed of verdicts.',
    ...(some ? { DELETE: 'Delete a source.', REFRESH: 'Read a source now.' } : {}),
  })
  if (operation === null) return
  if (operation === 'NEW') return askNew(session)
  const source = await ask.pick(`Choose the source to ${operation.toLowerCase()}:`, all(session), (s) => s.name, 0)
  if (operation === 'DELETE') return drop(session, source.name)
  return refresh(session, source.name)
}

const fromKnown = (feed: KnownFeed, key: string | null): IntelSource => {
  const { name, path, format, level, category, refreshSeconds } = feed
  return { name, enabled: true, path, key, format, level, category, refreshSeconds }
}

const addKnown = (session: Session, wanted: string): void => {
  const feed = KNOWN_FEEDS.find((f) => f.name === wanted)
  if (!feed)
    throw new UserError(
      `'${printableCut(wanted, 64)}' is no feed known here (${KNOWN_FEEDS.map((f) => f.name).join(', ')}). Give its path or URL.`,
    )
  if (feed.needsKey)
    throw new UserError(
      `'${feed.name}' needs a key. Add it in the dialogue, which asks for it: intelconfig, SOURCES, NEW.`,
    )
  add(session, fromKnown(feed, null))
}

const ADD =
  'intelconfig sources add NAME [PATH|URL] [--format FORMAT] [--level LEVEL] [--category TEXT] [--refresh SECONDS]'

const addForm: Form = {
  usage: ADD,
  words: ['sources', 'add'],
  run: async (session, args) => {
    const { words, options } = readForm(ADD, args, {
      min: 1,
      max: 2,
      values: ['format', 'level', 'category', 'refresh'],
    })
    if (words[1] === undefined) return addKnown(session, words[0] ?? '')
    add(session, {
      name: readValue(name, words[0] ?? ''),
      enabled: true,
      path: words[1],
      key: null,
      format: readValue(format, options['format'] ?? 'lines'),
      level: readValue(level, options['level'] ?? 'untrusted'),
      category: options['category'] ?? '',
      refreshSeconds: readValue(integer(10, 604_800), options['refresh'] ?? String(REFRESH_SECONDS)),
    })
  },
}

const byName = (word: string, act: (session: Session, name: string) => void | Promise<void>): Form =>
  wordForm(`intelconfig sources ${word} NAME`, ['sources', word], 1, (session, [name = '']) => act(session, name))

export const sourceForms: readonly Form[] = [
  addForm,
  byName('delete', drop),
  byName('refresh', refresh),
  wordForm('intelconfig sources print', ['sources', 'print'], 0, (session) => session.print(...sourceLines(session))),
]
