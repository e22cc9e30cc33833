import type { remediation } from '../../config/sections/remediation.ts'
import { fail, ok } from '../../core/result.ts'
import { hostname } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'

export type Remediation = typeof remediation.defaults

const NAME = /^[A-Za-z0-9_.-]{1,64}$/

export const profileName = (taken: readonly string[]): Field<string> => ({
  parse: (answer) => {
    const name = answer.trim()
    if (!NAME.test(name)) return fail('The name has 1 to 64 letters, digits, hyphens, dots and underscores.')
    return taken.some((t) => t.toLowerCase() === name.toLowerCase())
      ? fail(`The mailbox profile '${name}' exists already.`)
      : ok(name)
  },
  format: (name) => name,
})

/** A domain, or `ALL`. */
export const domainField: Field<string> = {
  parse: (answer) => {
    const domain = answer.trim().replace(/^@/, '')
    if (domain.toUpperCase() === 'ALL') return ok('ALL')
    return hostname.parse(domain.toLowerCase())
  },
  format: (domain) => domain,
}

export const settingsLines = (s: Remediation): readonly string[] => [
  'Mailbox profiles:',
  ...(s.profiles.length === 0 ? ['  none'] : s.profiles.map((p, i) => `  ${i + 1}. ${p.name} (${p.kind})`)),
  'Domain map:',
  ...(s.domainMap.length === 0 ? ['  none'] : s.domainMap.map((m) => `  ${m.domain} -> ${m.profile}`)),
  `Waits for approval: more than ${s.guardMessages} messages for one verdict,`,
  `  more than ${s.guardMailboxes} mailboxes in one hour (or ${s.guardMailboxPercent} percent of those known, if that is more).`,
  `Deleted messages are kept for ${s.holdDays} days. A mailbox is tried ${s.maxAttempts} times.`,
  `Messages with the same subject are ${s.sameSubject ? 'remediated as well' : 'left alone'}.`,
]
