import { stat } from 'node:fs'
import Tail from 'tail-file'

/**
 * tail-file leaves the old file when it has read to its end and then sees another one under the name. What was written
 * between those two looks would be lost. The writer never writes to the old file once the new one exists, so one more
 * read after the first sight of the new file gets everything.
 */
export class DrainingTail extends Tail {
  #drainedFor: number | null = null

  override onEndOfFileForTail(): void {
    // A change in the directory makes the package read on while it still hands out lines, one a turn. At the end of
    // the file it would throw the rest of them away; the turn that hands out the last one looks here again.
    if (this.txt.includes('\n')) return
    // As in the package: nothing else may read while we look.
    this.reading = true
    stat(this.filename, (error, stats) => {
      this.reading = false
      if (this.started === null) return
      const other = !error && stats.ino !== this.ino
      if (other && this.#drainedFor !== stats.ino) {
        this.#drainedFor = stats.ino
        return this.readStuff()
      }
      // Gone, another file (drained now), or truncated: the package knows what to do, and looks again itself.
      if (error || other || stats.size < Number(this.pos)) return super.onEndOfFileForTail()
      if (this.readable) return this.readStuff()
      this.emit('eof', this.pos)
    })
  }
}
