import { printableCut } from '../../core/text.ts'
import { decodeHeader } from '../../mail/message/encoded-words.ts'
import type { QueuedMessage } from '../../services/queue-selection.ts'
import type { SpoolEntry } from '../../store/spool.ts'
import type { Session } from '../command.ts'
import { longAge } from './duration.ts'

const row = (left: string, middle: string, right: string, last: string): string =>
  `${left.padEnd(9)}${middle.padEnd(9)}${right.padEnd(27)}${last}`.trimEnd()

/** Above the messages of `showrecipients`. */
export const MESSAGE_HEAD: readonly string[] = [
  row('MID/', 'Bytes/', 'Sender/', 'Subject'),
  row('[RID]', '[Atmps]', 'Recipient', ''),
]

const cell = (text: string, width: number): string => printableCut(text, 120).padEnd(width)

/** A message and its recipients. A long address moves what follows it, it is never cut short. */
export const messageRows = ({ entry, rows }: QueuedMessage): readonly string[] => [
  row(
    String(entry.mid),
    String(entry.size),
    `${cell(entry.sender === '' ? '<>' : entry.sender, 26)} `,
    printableCut(decodeHeader(entry.subject), 60),
  ),
  ...rows.map((r) => row(`[${r.rid}]`, `[${r.attempts}]`, printableCut(r.address, 120), '')),
]

/** `MID 9: 1 hour 5 mins 35 secs old` */
export const ageLine = ({ appliance: { env } }: Session, entry: SpoolEntry): string =>
  `MID ${entry.mid}: ${longAge((env.clock.now().getTime() - entry.receivedAt.getTime()) / 1000)} old`

/** Lines of a message as it would be delivered, made printable; a generator, so that paging stops early. */
export const messageLines = function* (bytes: Buffer, part: 'header' | 'whole'): Generator<string> {
  for (let from = 0; from < bytes.length;) {
    const feed = bytes.indexOf(10, from)
    const to = feed < 0 ? bytes.length : feed
    const end = to > from && bytes[to - 1] === 13 ? to - 1 : to
    if (end === from && part === 'header') return
    // Folded header lines begin with a tab: shown as the blanks that it stands for.
    yield printableCut(bytes.toString('latin1', from, end).replaceAll('\t', '        '), 20_000)
    from = to + 1
  }
}
