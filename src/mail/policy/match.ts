import type { MailPolicy, PolicyTable } from '../../config/sections/mail-policies.ts'
import type { Recipient } from '../../store/spool.ts'

export const DEFAULT_POLICY = 'DEFAULT'

/** `user@example.com`, `user@`, `@example.com`, `@.example.com` (every domain below), case-insensitive. */
export const memberMatches = (member: string, address: string): boolean => {
  const entry = member.trim().toLowerCase()
  const text = address.toLowerCase()
  if (entry.endsWith('@')) return text.startsWith(entry)
  if (entry.startsWith('@.')) return text.slice(text.lastIndexOf('@') + 1).endsWith(entry.slice(1))
  if (entry.startsWith('@')) return text.endsWith(entry)
  return entry !== '' && entry === text
}

const anyOf = (members: readonly string[], address: string): boolean =>
  members.length === 0 || members.some((m) => memberMatches(m, address))

/** The first policy whose senders and recipients both match; recipients of none fall to DEFAULT. */
export const policyFor = (policies: readonly MailPolicy[], sender: string, recipient: string): string =>
  policies.find((p) => anyOf(p.senders, sender) && anyOf(p.recipients, recipient))?.name ?? DEFAULT_POLICY

/** Recipients grouped by policy, in order of the table: as many messages as there are policies. */
export const splitByPolicy = (
  table: PolicyTable,
  sender: string,
  recipients: readonly Recipient[],
): readonly { readonly policy: string; readonly rids: readonly number[] }[] => {
  const groups = new Map<string, number[]>()
  for (const r of recipients) {
    const policy = policyFor(table.policies, sender, r.address)
    groups.set(policy, [...(groups.get(policy) ?? []), r.rid])
  }
  const order = [...table.policies.map((p) => p.name), DEFAULT_POLICY]
  return [...groups]
    .map(([policy, rids]) => ({ policy, rids }))
    .sort((a, b) => order.indexOf(a.policy) - order.indexOf(b.policy))
}

/** Content filters of a policy, in the order of the table's list. */
export const contentFiltersOf = (table: PolicyTable, policy: string): PolicyTable['contentFilters'] => {
  const chosen = table.policies.find((p) => p.name === policy)?.contentFilters ?? table.defaultContentFilters
  return table.contentFilters.filter((f) => chosen.includes(f.name))
}
