import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
import { repeated } from '../unique.ts'
import { remediation } from './remediation.ts'

/** `tls`: from the first byte (993); `starttls`: required; `none`: in clear text, for a server on this host. */
export const IMAP_SECURITY = ['tls', 'starttls', 'none'] as const

const server = v.object({
  /** A mailbox profile of kind `imap`. */
  profile: v.string(),
  host: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.:_-]{1,255}$/)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  security: v.picklist(IMAP_SECURITY),
  /** Who logs in for a mailbox: `{address}` and `{local}` stand for it, so that a master user is `{address}*gateway`. */
  login: v.pipe(v.string(), v.regex(/^[^\s\u0000-\u001f\u007f"\\]{1,256}$/)),
  passphrase: secretText(),
})
export type ImapServer = v.InferOutput<typeof server>

/** `remediationconfig`, PROFILES, IMAP: where the mailboxes of a profile are, and as whom they are opened. */
export const imapMailboxes = defineSection<ImapServer[]>({
  name: 'imap_mailboxes',
  version: 1,
  schema: v.array(server),
  defaults: [],
  verify: (servers, whole) => {
    const kinds = new Map(whole.get(remediation).profiles.map((p) => [p.name, p.kind]))
    const issue = (profile: string, message: string): Issue => ({
      path: `imap_mailboxes.${profile}`,
      message,
      severity: 'error',
    })
    const named = servers.map((s) => s.profile)
    const without = [...kinds].filter(([name, kind]) => kind === 'imap' && !named.includes(name))
    return [
      ...repeated(named).map((p) => issue(p, `The mailbox profile '${p}' has two IMAP servers.`)),
      ...named.filter((p) => kinds.get(p) !== 'imap').map((p) => issue(p, `There is no IMAP mailbox profile '${p}'.`)),
      ...without.map(([p]) =>
        issue(p, `The mailbox profile '${p}' has no IMAP server. Set it with remediationconfig.`),
      ),
    ]
  },
})
