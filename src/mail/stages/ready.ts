import type { Stage } from '../pipeline/stage.ts'

/** Everything that is asked before the filters has been answered. */
export const readyStage: Stage = {
  name: 'ready',
  enabled: () => true,
  process: async ({ entry }, { events }) => {
    events.publish({ type: 'message.ready', mid: entry.mid, bytes: entry.size, sender: entry.sender })
    return { next: 'continue' }
  },
}
