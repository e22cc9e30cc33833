/** How the lines of one message are told from the others in a log. Anchored: content of a message cannot claim another MID. */

/** The ids that a line is about. */
interface LineIds {
  readonly mids: readonly number[]
  readonly icid: number | null
  readonly dcid: number | null
  /** The line says that `into` came of `from`: split, rewritten, generated. */
  readonly derived: { readonly from: number; readonly into: number } | null
}

const STAMPED = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} [A-Z][a-z]+: /

const NONE: LineIds = { mids: [], icid: null, dcid: null, derived: null }

/** `Start MID 2 ICID 1`, `MID 2 ICID 1 From:`, `Message finished MID 2 done`, `MID 2 …` */
const MESSAGE = /^(?:Start |Message finished |Message aborted |Double bounce: )?MID (\d+)(?: ICID (\d+))?/
const JOINED =
  /^MID (\d+) (?:(was split creating|rewritten to)|was generated based on|was generated for bounce of) MID (\d+)/

const derivation = (text: string): LineIds['derived'] => {
  const m = JOINED.exec(text)
  if (!m) return null
  const [first, second] = [Number(m[1]), Number(m[3])]
  return m[2] === undefined ? { from: second, into: first } : { from: first, into: second }
}

const INJECTION = /^(?:New SMTP )?ICID (\d+) /
const CONNECTION = /^(?:New SMTP |Connection Error: )?DCID (\d+) /
const TRANSACTION = /^(?:Delivery start|Message done|Bounced:|Delayed:) DCID (\d+) MID (\d+) /
const PROCESSED = /^Message (\d+) (?:was processed|to RID)/
const REMEDIATION = /^MID: (\d+) /
const URL_CLIENT = /^url_rep_client\.beaker_rpc_server : THR: Thread-\d+: SRC: [\w-]+: MID: (\d+): /

const id = (m: RegExpExecArray | null, group = 1): number | null => (m?.[group] === undefined ? null : Number(m[group]))

/** null = a continuation line: it belongs to the line above. */
export const lineIds = (line: string): LineIds | null => {
  const stamp = STAMPED.exec(line)
  if (!stamp) return null
  const text = line.slice(stamp[0].length)
  const message = MESSAGE.exec(text)
  if (message) return { mids: [Number(message[1])], icid: id(message, 2), dcid: null, derived: derivation(text) }
  const transaction = TRANSACTION.exec(text)
  if (transaction) return { ...NONE, mids: [Number(transaction[2])], dcid: Number(transaction[1]) }
  const named = id(PROCESSED.exec(text)) ?? id(REMEDIATION.exec(text)) ?? id(URL_CLIENT.exec(text))
  if (named !== null) return { ...NONE, mids: [named] }
  return { ...NONE, icid: id(INJECTION.exec(text)), dcid: id(CONNECTION.exec(text)) }
}

/** A message and everything that became of it: grows while the log is read the first time. */
interface Story {
  readonly mids: Set<number>
  readonly icids: Set<number>
  readonly dcids: Set<number>
}

/** First reading, oldest line first: derived messages and connections join the story. ICID 0 is no connection. */
const grow = (story: Story, ids: LineIds): void => {
  if (ids.derived !== null && story.mids.has(ids.derived.from)) story.mids.add(ids.derived.into)
  if (!ids.mids.some((mid) => story.mids.has(mid))) return
  if (ids.icid !== null && ids.icid !== 0) story.icids.add(ids.icid)
  if (ids.dcid !== null && ids.dcid !== 0) story.dcids.add(ids.dcid)
}

/** Second reading: a line about a message of the story, or about one of its connections and no other message. */
const belongs = (story: Story, ids: LineIds): boolean => {
  if (ids.derived !== null) return story.mids.has(ids.derived.from) || story.mids.has(ids.derived.into)
  if (ids.mids.length > 0) return ids.mids.some((mid) => story.mids.has(mid))
  return (ids.icid !== null && story.icids.has(ids.icid)) || (ids.dcid !== null && story.dcids.has(ids.dcid))
}

type Batches = AsyncIterable<readonly string[]>

/** Every line of a message's story, in the order of the log, which is read twice. Empty = the log does not know it. */
export async function* storyLines(read: () => Batches, mid: number): AsyncGenerator<string> {
  const story: Story = { mids: new Set([mid]), icids: new Set(), dcids: new Set() }
  for await (const batch of read())
    for (const line of batch) {
      const ids = lineIds(line)
      if (ids) grow(story, ids)
    }
  let inside = false
  for await (const batch of read())
    for (const line of batch) {
      const ids = lineIds(line)
      if (ids) inside = belongs(story, ids)
      if (inside) yield line
    }
}
