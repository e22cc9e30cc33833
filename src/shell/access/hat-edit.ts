import { parseHostEntry } from '../../config/host-entries.ts'
import { BEHAVIOURS, plainPolicy } from '../../config/sections/host-access.ts'
import type { Behaviour, HostAccess, MailFlowPolicy, SenderGroup } from '../../config/sections/host-access.ts'
import { UserError } from '../../core/errors.ts'
import { fail, ok } from '../../core/result.ts'
import type { Field } from '../../core/schema.ts'
import { printableCut } from '../../core/text.ts'

/* Pure edits of a Host Access Table. Each throws a UserError that says what is wrong. */

/** Names of sender groups and policies. */
export const accessName: Field<string> = {
  parse: (text) =>
    /^[A-Za-z0-9_-]{1,64}$/.test(text.trim())
      ? ok(text.trim())
      : fail('The name must have only letters, numbers, hyphens and underscores.'),
  format: (name) => name,
}

/** One entry of a sender group in its canonical form. */
export const hostEntry: Field<string> = {
  parse: (text) => {
    const entry = parseHostEntry(text)
    return entry.ok ? ok(entry.value.text) : entry
  },
  format: (text) => text,
}

/** `$BLOCKED`, `BLOCKED` or a behaviour, as the table holds it. */
export const policyReference = (table: HostAccess): Field<string> => ({
  parse: (text) => {
    const typed = text.trim()
    const direct = BEHAVIOURS.find((b) => b === typed.toUpperCase())
    const named = table.policies.find((p) => p.name.toLowerCase() === typed.replace(/^\$/, '').toLowerCase())
    if (named && (typed.startsWith('$') || !direct)) return ok(`$${named.name}`)
    const all = [...BEHAVIOURS, ...table.policies.map((p) => `$${p.name}`)]
    return direct ? ok(direct) : fail(`The policy must be one of: ${all.join(', ')}.`)
  },
  format: (reference) => reference,
})

export const findGroup = (table: HostAccess, name: string): SenderGroup => {
  const group = table.groups.find((g) => g.name.toLowerCase() === name.toLowerCase())
  if (!group) throw new UserError(`There is no sender group '${printableCut(name, 80)}'.`)
  return group
}

export const findPolicy = (table: HostAccess, name: string): MailFlowPolicy => {
  const policy = table.policies.find((p) => p.name.toLowerCase() === name.replace(/^\$/, '').toLowerCase())
  if (!policy) throw new UserError(`There is no policy '${printableCut(name, 80)}'.`)
  return policy
}

/** A new group stands at the top: below the groups that take everybody by reputation it would never match. */
export const addGroup = (table: HostAccess, group: SenderGroup): HostAccess => {
  if (table.groups.some((g) => g.name.toLowerCase() === group.name.toLowerCase()))
    throw new UserError(`There is a sender group '${group.name}' already.`)
  return { ...table, groups: [group, ...table.groups] }
}

export const changeGroup = (table: HostAccess, old: SenderGroup, change: Partial<SenderGroup>): HostAccess => {
  const taken = table.groups.some((g) => g !== old && g.name.toLowerCase() === (change.name ?? old.name).toLowerCase())
  if (taken) throw new UserError(`There is a sender group '${change.name}' already.`)
  return { ...table, groups: table.groups.map((g) => (g === old ? { ...g, ...change } : g)) }
}

export const removeGroup = (table: HostAccess, group: SenderGroup): HostAccess => ({
  ...table,
  groups: table.groups.filter((g) => g !== group),
})

const before = <T>(items: readonly T[], item: T, target: T): T[] => {
  const rest = items.filter((i) => i !== item)
  const at = rest.indexOf(target)
  return item === target ? [...items] : [...rest.slice(0, at), item, ...rest.slice(at)]
}

export const moveGroup = (table: HostAccess, group: SenderGroup, target: SenderGroup): HostAccess => ({
  ...table,
  groups: before(table.groups, group, target),
})

/** Entries that are there already stay once. */
export const addHosts = (table: HostAccess, group: SenderGroup, hosts: readonly string[]): HostAccess =>
  changeGroup(table, group, { hosts: [...new Set([...group.hosts, ...hosts])] })

const findHost = (group: SenderGroup, host: string): string => {
  const parsed = parseHostEntry(host)
  const text = parsed.ok ? parsed.value.text : host.trim()
  const known = group.hosts.find((h) => h === host.trim() || h === text)
  if (known === undefined)
    throw new UserError(`The sender group ${group.name} has no entry '${printableCut(host, 80)}'.`)
  return known
}

export const removeHost = (table: HostAccess, group: SenderGroup, host: string): HostAccess => {
  const known = findHost(group, host)
  return changeGroup(table, group, { hosts: group.hosts.filter((h) => h !== known) })
}

export const moveHost = (table: HostAccess, group: SenderGroup, host: string, target: string): HostAccess =>
  changeGroup(table, group, { hosts: before(group.hosts, findHost(group, host), findHost(group, target)) })

type Change = Partial<Omit<MailFlowPolicy, 'name' | 'behaviour'>>

export const addPolicy = (table: HostAccess, name: string, behaviour: Behaviour, change: Change): HostAccess => {
  if (table.policies.some((p) => p.name.toLowerCase() === name.toLowerCase()))
    throw new UserError(`There is a policy '${name}' already.`)
  return { ...table, policies: [...table.policies, { ...plainPolicy(name, behaviour), ...change }] }
}

export const changePolicy = (
  table: HostAccess,
  old: MailFlowPolicy,
  change: Change & { readonly behaviour?: Behaviour },
): HostAccess => ({ ...table, policies: table.policies.map((p) => (p === old ? { ...p, ...change } : p)) })

export const removePolicy = (table: HostAccess, policy: MailFlowPolicy): HostAccess => {
  const reference = `$${policy.name}`
  const user = table.groups.find((g) => g.policy === reference)?.name ?? (table.otherwise === reference ? 'ALL' : null)
  if (user !== null) throw new UserError(`The policy ${policy.name} is in use by ${user}; give that another one first.`)
  return { ...table, policies: table.policies.filter((p) => p !== policy) }
}

/** What CLEAR leaves: nobody is in a group, and the entry ALL decides. */
export const clearHostAccess = (table: HostAccess): HostAccess => ({ ...table, groups: [] })
