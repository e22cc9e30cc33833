import type { Session } from '../command.ts'
import { colourLine } from './colour.ts'

/** Prints log lines as they come, as fast as the operator's side takes them and no faster. Answers how many. */
export const printLines = async (session: Session, batches: AsyncIterable<readonly string[]>): Promise<number> => {
  const { terminal } = session
  let count = 0
  for await (const lines of batches) {
    count += lines.length
    session.print(...lines.map((line) => colourLine(terminal, line)))
    await terminal.drained?.()
  }
  return count
}
