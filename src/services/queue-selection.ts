import { redirectedTo } from '../mail/delivery/route.ts'
import type { QueueView } from '../store/queue.ts'
import type { QueuedRecipient, SpoolEntry, SpoolStore } from '../store/spool.ts'

/** Which recipients of the delivery queue an operator means. */
export type QueueSelection =
  | { readonly kind: 'all' }
  /** A domain; what was redirected to a host of that name is meant too. */
  | { readonly kind: 'host'; readonly host: string }
  /** An envelope sender; '' = the null sender. */
  | { readonly kind: 'sender'; readonly sender: string }

export interface QueuedMessage {
  readonly entry: SpoolEntry
  /** Those of its recipients that were meant. */
  readonly rows: readonly QueuedRecipient[]
}

const PAGE = 200

export const messagesOf = (
  rows: readonly QueuedRecipient[],
): readonly { readonly mid: number; readonly rows: readonly QueuedRecipient[] }[] => {
  const messages = new Map<number, QueuedRecipient[]>()
  for (const row of rows) {
    const own = messages.get(row.mid)
    if (own) own.push(row)
    else messages.set(row.mid, [row])
  }
  return [...messages].map(([mid, own]) => ({ mid, rows: own }))
}

type NextPage = (after: QueuedRecipient | null) => readonly QueuedRecipient[]

/** Page after page, with the event loop free between them. What was queued after the start is left out. */
const walk = async function* (next: NextPage, lastMid: number): AsyncGenerator<readonly QueuedRecipient[]> {
  let after: QueuedRecipient | null = null
  for (;;) {
    const rows = next(after)
    yield rows.filter((row) => row.mid <= lastMid)
    if (rows.length < PAGE) return
    after = rows.at(-1) ?? null
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The messages of a selection. A message that is longer than a page comes in parts. */
export const selected = async function* (
  spool: Pick<SpoolStore, 'entry'>,
  view: QueueView,
  selection: QueueSelection,
): AsyncGenerator<QueuedMessage> {
  const lastMid = view.lastMid()
  const walks: readonly NextPage[] =
    selection.kind === 'host'
      ? [selection.host, redirectedTo(selection.host)].map(
          (destination): NextPage =>
            (after) =>
              view.pageFor(destination, after, PAGE),
        )
      : [(after) => view.page(after, PAGE)]
  for (const next of walks)
    for await (const page of walk(next, lastMid))
      for (const { mid, rows } of messagesOf(page)) {
        const entry = spool.entry(mid)
        if (!entry) continue
        if (selection.kind === 'sender' && entry.sender.toLowerCase() !== selection.sender.toLowerCase()) continue
        yield { entry, rows }
      }
}
