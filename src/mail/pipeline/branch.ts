import type { FilterRef } from '../../events/message.ts'
import type { SpoolEntry } from '../../store/spool.ts'
import { editFields } from '../message/edit-headers.ts'
import { isHeaderEdit } from '../message/edit-kinds.ts'
import type { HeaderField } from '../message/parsed.ts'
import type { Edit, Message, Outcome, QuarantineFlag } from './stage.ts'

export type Copy = QuarantineFlag & { readonly edits: readonly Edit[]; readonly recipients: SpoolEntry['recipients'] }

/** One message on its way through the stages; a split makes several of one. */
export interface Branch {
  readonly message: Message
  readonly edits: readonly Edit[]
  readonly trace: string
  readonly quarantine: QuarantineFlag | null
  readonly copies: readonly Copy[]
  readonly droppedBy: FilterRef | null
  /** Index of the next stage. */
  readonly next: number
}

const editedHeaders = (headers: readonly HeaderField[], edits: readonly Edit[]): readonly HeaderField[] =>
  edits.filter(isHeaderEdit).reduce<readonly HeaderField[]>((fields, edit) => editFields(fields, edit), headers)

/** The branch after a stage; later stages see processed headers. */
export const advance = (branch: Branch, outcome: Exclude<Outcome, { next: 'policy' }>): Branch => {
  // With everybody whom the message was for then: a later split is none of the copy's.
  const { recipients } = branch.message.entry
  const copies = (outcome.copies ?? []).map((c) => ({ ...c, edits: [...branch.edits, ...c.edits], recipients }))
  const base = { ...branch, copies: [...branch.copies, ...copies], next: branch.next + 1 }
  if (outcome.next === 'final') return { ...base, droppedBy: outcome.action.by }
  const { message } = branch
  const edits = outcome.edits ?? []
  return {
    ...base,
    edits: [...branch.edits, ...edits],
    trace: (outcome.trace ?? '') + branch.trace,
    quarantine: outcome.quarantine ?? branch.quarantine,
    message: {
      ...message,
      findings: { ...message.findings, ...outcome.findings },
      parsed:
        edits.length === 0 && outcome.urls === undefined
          ? message.parsed
          : {
              ...message.parsed,
              headers: editedHeaders(message.parsed.headers, edits),
              urls: [...message.parsed.urls, ...(outcome.urls ?? [])],
            },
    },
  }
}

/** A splinter: some of the recipients, numbered anew, under an MID of its own. */
export const splinter = (branch: Branch, mid: number, rids: readonly number[], policy: string): Branch => {
  const { entry } = branch.message
  const own = entry.recipients.filter((r) => rids.includes(r.rid))
  const split: SpoolEntry =
    mid === entry.mid
      ? { ...entry, recipients: own }
      : { ...entry, mid, icid: 0, recipients: own.map((r, rid) => ({ ...r, rid })) }
  return {
    ...branch,
    message: { ...branch.message, entry: split, policy },
    // Copies that a filter made before the split are made once, by the first splinter.
    copies: mid === entry.mid ? branch.copies : [],
    next: branch.next + 1,
  }
}
