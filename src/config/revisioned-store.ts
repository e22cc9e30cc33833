import { Fault, UserError, errorText } from '../core/errors.ts'
import type { Issue } from '../core/errors.ts'
import type { Env } from '../core/env.ts'
import { localTime } from '../core/localtime.ts'
import type { TimeZones } from '../core/timezone.ts'
import { printable } from '../core/text.ts'
import { applyAll, applyOrder, commitQueue, prepareAll, refuseErrors, verifyDocument } from './commit.ts'
import type { AnyConsumer, Transition } from './commit.ts'
import { decodeDocument, encodeDocument } from './codec.ts'
import { diffSection } from './diff.ts'
import { exportLines } from './export.ts'
import { importDocument } from './import.ts'
import { loadNewest } from './load.ts'
import { readerOf, sameValue } from './document.ts'
import type { AnySection, ConfigDocument } from './document.ts'
import { SectionDraft } from './draft.ts'
import type { Pin } from './draft.ts'
import type { RevisionRecord, RevisionStore } from './revisions.ts'
import type { SecretBox } from './secrets.ts'
import type { CommitRecord, ConfigDraft, ConfigSection } from './section.ts'
import { SECTIONS } from './sections/index.ts'
import { system } from './sections/system.ts'
import type { CommitOptions, ConfigStore, Conflict } from './store.ts'

/** The facts that the store publishes; an `EventBus` takes them. */
type ConfigEvent =
  | {
      readonly type: 'system.committed'
      readonly pid: number
      readonly user: string
      readonly comment: string
      readonly revision: number
    }
  | { readonly type: 'system.rolled-back'; readonly user: string; readonly reason: string }

export interface ConfigStoreDeps {
  readonly revisions: RevisionStore
  readonly secrets: SecretBox
  readonly env: Env
  readonly zones: TimeZones
  readonly events: { publish(event: ConfigEvent): void }
  readonly pid: number
  readonly sections?: readonly AnySection[]
  /** Only for a home without revisions: changes to the defaults before they are written as revision 1. */
  readonly seed?: (set: <T>(section: ConfigSection<T>, value: T) => void) => void
}

export interface OpenedConfig {
  readonly store: ConfigStore
  /** Revision 1 was written just now. */
  readonly fresh: boolean
  /** What did not go well while reading; to be logged once the logs stand. */
  readonly warnings: readonly string[]
}

const QUEUE_WAIT_MS = 30_000
const REFUSED = 'Not committed: '

const recordOf = ({ number, at, user, comment, kept }: RevisionRecord): CommitRecord => ({
  revision: number,
  at,
  user,
  comment,
  kept,
})

/**
 * Opens the configuration of a home. A fresh home gets revision 1: the defaults with `seed`, user `system`, kept.
 * @throws UserError when the seed is not valid.
 */
export const createConfigStore = async (deps: ConfigStoreDeps): Promise<OpenedConfig> => {
  const sections = deps.sections ?? SECTIONS
  const { revisions, secrets, env } = deps
  const start = loadNewest(sections, deps.revisions, deps.secrets)
  let running: ConfigDocument = start.decoded.document
  let { revision, newest } = start
  const { foreign } = start.decoded
  const consumers: AnyConsumer[] = []
  const order = applyOrder(sections)
  const queue = commitQueue(env.clock, QUEUE_WAIT_MS)
  const reader = readerOf(() => running)
  const time = localTime(deps.zones, () => reader.get(system).timezone)

  const append = async (
    document: ConfigDocument,
    options: CommitOptions,
    changed: readonly string[],
    audit: Parameters<RevisionStore['append']>[1],
  ): Promise<RevisionRecord> => {
    const record: RevisionRecord = {
      number: newest + 1,
      at: env.clock.now(),
      user: options.user,
      comment: options.comment,
      kept: options.keepForRollback,
      sections: changed,
    }
    await revisions.append({ ...record, document: encodeDocument(sections, document, foreign, secrets) }, audit)
    newest = record.number
    return record
  }

  const conflictOf = (pin: Pin): readonly Conflict[] => {
    const { name } = pin.section
    const now = running[name]
    if (sameValue(now, pin.base) || sameValue(now, pin.value)) return []
    const record = revisions.since(pin.since).find((r) => r.sections.includes(name)) ?? revisions.list(1, false)[0]
    if (!record) return []
    const { user, at, number } = record
    return [{ section: name, user, at, revision: number, theirs: diffSection(pin.section, pin.base, now) }]
  }

  /** Which zones exist is known to the machine and not to the section. */
  const zoneIssues = (document: ConfigDocument): readonly Issue[] => {
    const { timezone } = readerOf(() => document).get(system)
    if (deps.zones.at(timezone, env.clock.now()) !== null) return []
    const message = `The time zone '${printable(timezone)}' does not exist on this machine. Set one with settz.`
    return [{ path: 'system.timezone', message, severity: 'error' }]
  }

  const stagedOf = (draft: ConfigDraft): readonly Pin[] => {
    if (!(draft instanceof SectionDraft)) throw new Fault('INTERNAL', 'the draft is not of this store')
    return draft.staged()
  }

  const conflicts = (draft: ConfigDraft): readonly Conflict[] => stagedOf(draft).flatMap(conflictOf)

  const refuseConflicts = (found: readonly Conflict[]): void => {
    if (found.length === 0) return
    const who = found.map(
      (c) => `${printable(c.user)} committed ${c.section} at ${time.stampZone(c.at)} (revision ${c.revision})`,
    )
    throw new UserError(
      `Not committed: ${who.join(', ')}, after you began to change it. Your changes are kept: ` +
        `see both sides with showchanges, drop yours with 'clearchanges ${found[0]?.section ?? ''}'.`,
    )
  }

  /** Running and stored state agree again after a failed apply, or the answer says that they do not. */
  const undone = async (
    options: CommitOptions,
    failed: number,
    transition: Transition,
    why: string,
  ): Promise<string> => {
    try {
      const comment = `Undo of revision ${failed}`
      await append(transition.previous, { ...options, comment, keepForRollback: false }, [...transition.changed], {
        action: 'undo',
        detail: why,
      })
      revision = newest
      return 'The configuration before it is running and stored again.'
    } catch (error) {
      return `The configuration before it is running, but could not be stored (${errorText(error)}): a restart would use revision ${failed}.`
    }
  }

  const commit = async (draft: SectionDraft, options: CommitOptions): Promise<CommitRecord> => {
    const staged = draft.staged()
    refuseConflicts(conflicts(draft))
    const next = { ...running, ...Object.fromEntries(staged.map((p) => [p.section.name, p.value])) }
    const changed = new Set(order.filter((name) => !sameValue(running[name], next[name])))
    if (changed.size === 0) {
      draft.clear()
      throw new UserError('There is no data to commit.')
    }
    const transition: Transition = { next, previous: running, changed }
    const concerned = order.flatMap((name) =>
      changed.has(name) ? consumers.filter((c) => c.section.name === name) : [],
    )
    const warnings = [
      ...refuseErrors([...verifyDocument(sections, next), ...zoneIssues(next)], REFUSED),
      ...refuseErrors(await prepareAll(concerned, transition, env.clock), REFUSED),
    ]
    const names = [...changed]
    const record = await append(next, options, names, { action: 'commit', detail: names.join(' ') })
    running = next
    revision = record.number
    const failure = await applyAll(concerned, transition, env.clock)
    if (failure) {
      running = transition.previous
      const why = `${failure.section} could not be applied: ${failure.reason}`
      const outcome = await undone(options, record.number, transition, why)
      const rest = failure.notUndone.length > 0 ? ` Not brought back: ${failure.notUndone.join(', ')}.` : ''
      deps.events.publish({ type: 'system.rolled-back', user: options.user, reason: `${why}.${rest} ${outcome}` })
      throw new UserError(`Not committed: ${why}. ${outcome}${rest} Your changes are kept.`)
    }
    draft.clear()
    const { user, comment } = options
    deps.events.publish({ type: 'system.committed', pid: deps.pid, user, comment, revision: record.number })
    return { ...recordOf(record), warnings }
  }

  const stageRevision = (draft: ConfigDraft, number: number): void => {
    const stored = revisions.read(number)
    if (!stored) throw new UserError(`There is no configuration revision ${number}.`)
    const decoded = decodeDocument(sections, stored.document, secrets)
    if (!decoded.ok) throw new UserError(`Configuration revision ${number} cannot be used: ${decoded.error}.`)
    draft.clear()
    for (const section of sections) draft.set(section, decoded.value.document[section.name])
  }

  const store: ConfigStore = {
    running: reader,
    get revision() {
      return revision
    },
    draft: () => new SectionDraft(() => ({ document: running, revision: newest })),
    commit: async (draft, options) => {
      if (stagedOf(draft).length === 0) throw new UserError('There is no data to commit.')
      return await queue(options.user, async () => await commit(draft as SectionDraft, options))
    },
    conflicts,
    stageRevision,
    exportLines: (options) => exportLines(sections, running, { ...options, secrets }),
    importText: (draft, text) => {
      const base = Object.fromEntries(sections.map((s) => [s.name, draft.get(s as ConfigSection<unknown>)]))
      const loaded = importDocument(sections, base, text, secrets)
      if (!loaded.ok) return loaded.error
      for (const { section, value } of loaded.value) draft.set(section, value)
      return []
    },
    stageDefaults: (draft) => {
      for (const section of sections) draft.set(section, section.defaults)
    },
    history: (limit, keptOnly = false) => revisions.list(limit, keptOnly).map(recordOf),
    consume: (consumer) => void consumers.push(consumer),
  }

  const fresh = newest === 0
  if (fresh) {
    const draft = new SectionDraft(() => ({ document: running, revision: 0 }))
    deps.seed?.((section, value) => draft.set(section, value))
    const seeded = { ...running, ...Object.fromEntries(draft.staged().map((p) => [p.section.name, p.value])) }
    refuseErrors(verifyDocument(sections, seeded))
    const options = { user: 'system', comment: 'Initial configuration', keepForRollback: true }
    await append(seeded, options, [...order], { action: 'install', detail: '' })
    running = seeded
    revision = newest
  }
  return { store, fresh, warnings: start.warnings }
}
