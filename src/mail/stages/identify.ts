import type { Stage } from '../pipeline/stage.ts'

/** Tells Message-ID and Subject, and what could not be scanned. */
export const identifyStage: Stage = {
  name: 'identify',
  enabled: () => true,
  process: async ({ entry, parsed }, { events }) => {
    events.publish({ type: 'message.id', mid: entry.mid, messageId: entry.messageId })
    events.publish({ type: 'message.subject', mid: entry.mid, subject: entry.subject })
    if (!parsed.scan.ok) events.publish({ type: 'message.unscannable', mid: entry.mid, reason: parsed.scan.reason })
    return { next: 'continue' }
  },
}
