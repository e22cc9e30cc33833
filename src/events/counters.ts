/** Counters of `status`: since reset, since start, ever. */
export const COUNTER_NAMES = [
  'messagesReceived',
  'recipientsReceived',
  'rejectedRecipients',
  'droppedMessages',
  'softBouncedEvents',
  'completedRecipients',
  'hardBouncedRecipients',
  'deliveredRecipients',
  'generatedMessages',
] as const
export type CounterName = (typeof COUNTER_NAMES)[number]

export interface CounterReader {
  readonly lastReset: Date | null
  value(name: CounterName, since: 'reset' | 'uptime' | 'lifetime'): number
  /** Connections that are open now. */
  gauge(name: 'inboundConnections' | 'outboundConnections'): number
}
