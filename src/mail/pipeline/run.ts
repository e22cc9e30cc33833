import type { ConfigReader } from '../../config/section.ts'
import { aliases } from '../../config/sections/aliases.ts'
import { urlFiltering } from '../../config/sections/url-filtering.ts'
import type { Env } from '../../core/env.ts'
import { errorText } from '../../core/errors.ts'
import { readMessageId } from '../../core/message-id.ts'
import type { ApplianceEvent } from '../../events/event.ts'
import type { EventBus } from '../../events/bus.ts'
import type { Counters, NewSpoolEntry, SpoolEntry, SpoolStore } from '../../store/spool.ts'
import { expandAliases } from '../delivery/aliases.ts'
import { bodyEdits } from '../message/edit-kinds.ts'
import { fieldNamed } from '../message/part-text.ts'
import { advance, splinter } from './branch.ts'
import type { Branch, Copy } from './branch.ts'
import { heldState } from './hold.ts'
import type { Scanner } from './scanner.ts'
import type { Edit, QuarantineFlag, Stage, StageContext } from './stage.ts'
import { AFTER_ALL_STAGES } from './work-queue.ts'

export interface PipelineDeps {
  readonly stages: readonly Stage[]
  readonly spool: SpoolStore
  readonly ids: Counters
  readonly config: ConfigReader
  readonly env: Env
  readonly events: EventBus
  readonly scanner: Scanner
}

export interface Pipeline {
  /** Takes one entry in state work to its end. Safe to run again: nothing is decided before its one commit. */
  process(mid: number, signal: AbortSignal): Promise<void>
}

/** What the commit leaves, and what is told once it is there. */
interface Ending {
  readonly entries: readonly NewSpoolEntry[]
  readonly events: readonly ApplianceEvent[]
}

/** A filter may take the Message-ID off or change it: the delivered message is known by the one that it has then. */
const idAfter = ({ messageId }: SpoolEntry, raw: Buffer, body: Buffer): string | null => {
  const [before, after] = [raw, body].map((bytes) => fieldNamed(bytes, 'message-id')?.raw)
  return before === after ? messageId : after === undefined ? null : readMessageId(after)
}

export const createPipeline = (deps: PipelineDeps): Pipeline => {
  const { stages, spool, ids, events, scanner } = deps
  const maxUrls = (): number => deps.config.get(urlFiltering).maxUrlsInBody

  const begin = async (entry: SpoolEntry, resumeAt: string | null, signal: AbortSignal): Promise<Branch> => {
    const raw = await spool.body(entry.mid)
    const { maxUrlsInBody: body, maxUrlsInAttachments: attachments } = deps.config.get(urlFiltering)
    const parsed = await scanner.scan(raw, { body, attachments }, signal)
    const at = stages.findIndex((s) => s.name === resumeAt)
    return {
      message: {
        entry,
        raw,
        parsed,
        findings: { spf: null, dkim: null, dmarc: null, sdr: null, urls: null },
        policy: null,
        table: entry.direction === 'incoming' ? 'inbound' : 'outbound',
      },
      edits: [],
      trace: entry.trace,
      quarantine: null,
      copies: [],
      droppedBy: null,
      next: resumeAt === null ? 0 : at < 0 ? stages.length : at,
    }
  }

  const split = (
    branch: Branch,
    parts: readonly { readonly rids: readonly number[]; readonly policy: string }[],
  ): readonly Branch[] => {
    const { entry, table } = branch.message
    return parts.map(({ rids, policy }, i) => {
      const { mid } = entry
      const made = splinter(branch, i === 0 ? mid : ids.next('mid'), rids, policy)
      const own = made.message.entry
      if (own.mid !== mid) {
        events.publish({ type: 'policy.split', mid, into: own.mid, policy, table })
        tellGenerated(own)
      }
      events.publish({ type: 'policy.matched', mid: own.mid, policy, table })
      return made
    })
  }

  const tellGenerated = ({ mid, sender, recipients }: SpoolEntry): void => {
    events.publish({ type: 'message.started', mid, icid: 0 })
    events.publish({ type: 'message.sender', mid, icid: 0, sender })
    for (const r of recipients)
      events.publish({ type: 'message.recipient', mid, icid: 0, rid: r.rid, recipient: r.address })
  }

  /** Every stage for every splinter. */
  const travel = async (start: Branch, ctx: StageContext): Promise<readonly Branch[]> => {
    const open = [start]
    const done: Branch[] = []
    for (let branch = open.shift(); branch; branch = open.shift()) {
      const stage = stages[branch.next]
      if (!stage || branch.droppedBy) {
        done.push(branch)
        continue
      }
      ctx.signal.throwIfAborted()
      if (!stage.enabled(branch.message, ctx)) {
        open.unshift({ ...branch, next: branch.next + 1 })
        continue
      }
      const outcome = await stage.process(branch.message, ctx)
      open.unshift(...(outcome.next === 'policy' ? split(branch, outcome.parts) : [advance(branch, outcome)]))
    }
    return done
  }

  /** The entry as it leaves: edited when edits change it. */
  const finish = async (
    branch: Branch,
    edits: readonly Edit[],
    signal: AbortSignal,
  ): Promise<{ readonly entry: SpoolEntry; readonly body: Buffer | null }> => {
    const { entry, raw } = branch.message
    const traced = { ...entry, trace: branch.trace }
    if (edits.length === 0) return { entry: traced, body: null }
    const body = await scanner.edit(raw, edits, maxUrls(), signal)
    if (body.equals(raw)) return { entry: traced, body: null }
    const subject = fieldNamed(body, 'subject')?.raw.trim() ?? ''
    return { entry: { ...traced, size: body.length, subject, messageId: idAfter(entry, raw, body) }, body }
  }

  const holdOrQueue = (entry: SpoolEntry, body: Buffer | null, flag: QuarantineFlag | null): Ending => {
    const { mid } = entry
    if (flag) {
      const state = heldState(flag, AFTER_ALL_STAGES, deps.config, deps.env.clock.now())
      return { entries: [{ ...entry, body, state }], events: [{ type: 'message.quarantined', mid, ...flag }] }
    }
    const queued = { ...entry, body, state: { kind: 'queued' } } as const
    const expanded = expandAliases(entry.recipients, deps.config.get(aliases))
    if (!expanded) return { entries: [queued], events: [{ type: 'message.queued', mid }] }
    const told: ApplianceEvent = { type: 'delivery.alias-expanded', mid, recipients: expanded.map((r) => r.address) }
    if (expanded.length === 0) return { entries: [], events: [told, { type: 'message.finished', mid }] }
    const recipients = expanded.map((recipient, rid) => ({ ...recipient, rid }))
    return { entries: [{ ...queued, recipients }], events: [told, { type: 'message.queued', mid }] }
  }

  const endCopy = async (branch: Branch, copy: Copy, signal: AbortSignal): Promise<Ending> => {
    const from = branch.message.entry.mid
    const mid = ids.next('mid')
    const unscannable: ApplianceEvent[] = []
    const { entry, body } = await finish(branch, copy.edits, signal).catch((error: unknown) => {
      if (signal.aborted) throw error
      // Held all the same, as it came: a message that cannot be edited would be tried again without end.
      unscannable.push({ type: 'message.unscannable', mid, reason: errorText(error) })
      return finish(branch, [], signal)
    })
    // The sender hears of the message, not of a copy that he knows nothing of.
    const recipients = copy.recipients.map((r, rid) => ({ ...r, rid, notify: [] }))
    const held = holdOrQueue({ ...entry, mid, icid: 0, recipients }, body, { quarantine: copy.quarantine, by: copy.by })
    const how = 'duplicate-quarantine'
    return {
      entries: held.entries,
      events: [
        { type: 'message.started', mid, icid: 0 },
        { type: 'message.generated', mid, from, how, filter: copy.by.name },
        ...unscannable,
        ...held.events,
      ],
    }
  }

  const endMessage = async (branch: Branch, signal: AbortSignal): Promise<Ending> => {
    const { mid } = branch.message.entry
    if (branch.droppedBy)
      return {
        entries: [],
        events: [
          { type: 'message.dropped', mid, by: branch.droppedBy },
          { type: 'message.finished', mid },
        ],
      }
    try {
      const { entry, body } = await finish(branch, branch.edits, signal)
      const rewritten = body === null ? undefined : bodyEdits(branch.edits).at(-1)
      if (!rewritten) {
        return holdOrQueue(entry, body, branch.quarantine)
      }
      const into = ids.next('mid')
      const end = holdOrQueue({ ...entry, mid: into, icid: 0 }, body, branch.quarantine)
      return {
        entries: end.entries,
        events: [
          { type: 'message.rewritten', mid, into, action: rewritten.action, filter: rewritten.filter.name },
          { type: 'message.started', mid: into, icid: 0 },
          { type: 'message.finished', mid },
          ...end.events,
        ],
      }
    } catch (error) {
      if (signal.aborted) throw error
      // A filter wanted the content changed and that cannot be done: unchanged it must not go on.
      const by = bodyEdits(branch.edits)[0]?.filter ?? ({ kind: 'message filter', name: 'edit' } as const)
      const { entry } = await finish(branch, [], signal)
      const end = holdOrQueue(entry, null, branch.quarantine ?? { quarantine: 'Policy', by })
      return {
        entries: end.entries,
        events: [{ type: 'message.unscannable', mid, reason: errorText(error) }, ...end.events],
      }
    }
  }

  return {
    process: async (mid, signal) => {
      const entry = spool.entry(mid)
      const state = spool.state(mid)
      if (!entry || state?.kind !== 'work') return
      const ctx: StageContext = { config: deps.config, env: deps.env, events, signal }
      const branches = await travel(await begin(entry, state.resumeAt, signal), ctx)
      const endings: Ending[] = []
      for (const branch of branches) {
        for (const copy of branch.copies) endings.push(await endCopy(branch, copy, signal))
        endings.push(await endMessage(branch, signal))
      }
      await spool.replace(
        mid,
        endings.flatMap((e) => e.entries),
      )
      for (const ending of endings) for (const event of ending.events) events.publish(event)
    },
  }
}
