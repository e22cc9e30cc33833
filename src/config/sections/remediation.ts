import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { uniqueNames } from '../unique.ts'

const count = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

/** `maildir`: the embedded mailboxes. `imap`: those of a server (section `imap_mailboxes`). */
export const MAILBOX_KINDS = ['maildir', 'imap'] as const

/** `remediationconfig`, Account Settings: mailbox profiles, domain mapping, blast guard, retention. Ours where AsyncOS has only the GUI. */
export const remediation = defineSection({
  name: 'mailbox_remediation',
  version: 1,
  schema: v.object({
    profiles: v.array(
      v.object({
        name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/)),
        kind: v.picklist(MAILBOX_KINDS),
      }),
    ),
    /** Recipient domain → profile; `ALL` is the default mapping. */
    domainMap: v.array(v.object({ domain: v.string(), profile: v.string() })),
    /** More messages than this for one verdict wait for `remediation approve`. */
    guardMessages: count(1, 1_000_000),
    /** More mailboxes in an hour than the larger of `guardMailboxes` and `guardMailboxPercent` of those known wait too. */
    guardMailboxes: count(1, 1_000_000),
    guardMailboxPercent: count(0, 100),
    /** Days that deleted messages stay in the hold area for `remediation undo`. */
    holdDays: count(1, 3650),
    maxAttempts: count(1, 100),
    /** The documented behaviour "all emails with the same subject line"; off by default, see docs/compatibility.md. */
    sameSubject: v.boolean(),
  }),
  defaults: {
    profiles: [{ name: 'embedded_mailboxes', kind: 'maildir' as const }],
    domainMap: [{ domain: 'ALL', profile: 'embedded_mailboxes' }],
    guardMessages: 100,
    guardMailboxes: 20,
    guardMailboxPercent: 1,
    holdDays: 30,
    maxAttempts: 8,
    sameSubject: false,
  },
  verify: (value) => {
    const known = new Set(value.profiles.map((p) => p.name))
    return [
      ...uniqueNames('mailbox_remediation.profiles', value.profiles),
      ...value.domainMap.flatMap((m): readonly Issue[] =>
        known.has(m.profile)
          ? []
          : [
              {
                path: `mailbox_remediation.domainMap.${m.domain}`,
                message: `The mailbox profile '${m.profile}' of the domain ${m.domain} does not exist.`,
                severity: 'error',
              },
            ],
      ),
    ]
  },
})
