/** Words for RFC 3463 status codes, as AsyncOS prints them behind `Bounced:` and `Delayed:`. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^\d\.1\.2$/, 'Bad destination host'],
  [/^\d\.1\./, 'Unknown address error'],
  [/^\d\.2\./, 'Mailbox error'],
  [/^\d\.3\./, 'Mail system error'],
  [/^\d\.4\.6$/, 'Routing loop detected'],
  [/^\d\.4\.7$/, 'Delivery expired (message too old)'],
  [/^\d\.4\./, 'Other network problem'],
  [/^\d\.5\./, 'Protocol error'],
  [/^\d\.6\./, 'Message content error'],
  [/^\d\.7\./, 'Security or policy error'],
]

export const statusReason = (status: string): string =>
  REASONS.find(([pattern]) => pattern.test(status))?.[1] ?? 'Other error'

/** The enhanced status in a reply, or what its place in the conversation says. */
export const statusOf = (response: string, code: number, atRecipient: boolean): string => {
  const [, enhanced] = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response) ?? []
  const level = code >= 500 ? '5' : '4'
  if (enhanced?.startsWith(level)) return enhanced
  return atRecipient ? `${level}.1.0` : `${level}.0.0`
}
