import { Fault } from '../core/errors.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { SpoolStore } from '../store/spool.ts'

/**
 * Stands before the spool and tells operators when it takes no more (disk full, read-only or failing), and when it does again:
 * one alert each, however many messages are refused meanwhile.
 */
export const watchRoom = (
  spool: Pick<SpoolStore, 'accept'>,
  alerts: Pick<AlertService, 'raise'>,
): Pick<SpoolStore, 'accept'> => {
  let refused = 0
  return {
    accept: async (entry) => {
      try {
        await spool.accept(entry)
      } catch (error) {
        if (error instanceof Fault && error.code === 'STORE_FULL' && refused++ === 0)
          alerts.raise({
            class: 'System',
            severity: 'Critical',
            text: `The disk of the mail queue is full, read-only or failing: messages are refused with 452 until it has room (${error.message}).`,
          })
        throw error
      }
      if (refused === 0) return
      alerts.raise({
        class: 'System',
        severity: 'Information',
        text: `The disk of the mail queue has room again: messages are accepted. ${refused} were refused with 452.`,
      })
      refused = 0
    },
  }
}
