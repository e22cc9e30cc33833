import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { identify } from './load.ts'

/**
 * What one copy for one recipient went through. `doubts`: kills at which the next hop had the copy while the spool still
 * had the recipient: its 250 was not recorded, and one more copy is right.
 */
interface Account {
  readonly sha256: string
  acknowledged: boolean
  copies: number
  doubts: number
  /** Failed attempts that the spool remembered at the last kill. */
  attempts: number
}

export interface Findings {
  readonly acknowledged: number
  /** Acknowledged, and neither delivered nor in the spool. */
  readonly lost: readonly string[]
  /** Bytes that are not what was sent. */
  readonly damaged: readonly string[]
  /** More copies than kills explain. */
  readonly unexplained: readonly string[]
  /** Delivered or in the spool, but never sent. */
  readonly strangers: readonly string[]
  /** Recipients whose failed attempts were forgotten by a restart. */
  readonly forgetful: readonly string[]
  /** Second copies that a kill explains. */
  readonly duplicates: number
  /** The most copies of one message for one recipient. */
  readonly most: number
}

export interface Waiting {
  readonly id: string
  readonly recipient: string
  readonly state: 'work' | 'queued' | 'quarantined'
  readonly attempts: number
  readonly sha256: string | null
}

/** What `lychgate spool export` has written into `directory`, one row a recipient that is left. */
export const exported = (directory: string): readonly Waiting[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const about = JSON.parse(readFileSync(join(directory, name), 'utf8')) as {
        readonly state: { readonly kind: Waiting['state'] }
        readonly queued: readonly { readonly address: string; readonly attempts: number }[]
        readonly envelope: { readonly recipients: readonly { readonly address: string }[] }
      }
      const mail = identify(readFileSync(join(directory, name.replace('.json', '.eml'))))
      const { kind } = about.state
      const left = kind === 'queued' ? about.queued : about.envelope.recipients.map((r) => ({ ...r, attempts: 0 }))
      return left.map(({ address, attempts }) => ({
        id: mail?.id ?? `(${name})`,
        recipient: address,
        state: kind,
        attempts,
        sha256: mail?.sha256 ?? null,
      }))
    })

/**
 * The books of a run with many kills: what was sent and answered against what arrived and what waits. `exactlyOnce` says
 * for which recipients no kill explains a second copy.
 */
export const createLedger = (exactlyOnce: (recipient: string) => boolean) => {
  const accounts = new Map<string, Account>()
  const strangers: string[] = []
  const damaged: string[] = []
  const forgetful: string[] = []
  const key = (id: string, recipient: string): string => `${id} ${recipient.toLowerCase()}`
  const of = (id: string, recipient: string, sha256: string | null): Account | undefined => {
    const account = accounts.get(key(id, recipient))
    if (!account) strangers.push(key(id, recipient))
    else if (account.sha256 !== sha256) damaged.push(key(id, recipient))
    return account
  }
  const lost = (waiting: ReadonlySet<string>): readonly string[] =>
    [...accounts].flatMap(([k, a]) => (a.acknowledged && a.copies === 0 && !waiting.has(k) ? [k] : []))
  return {
    sending: (id: string, recipients: readonly string[], sha256: string): void => {
      for (const to of recipients)
        accounts.set(key(id, to), { sha256, acknowledged: false, copies: 0, doubts: 0, attempts: 0 })
    },
    acknowledged: (id: string, recipients: readonly string[]): void => {
      for (const to of recipients) (accounts.get(key(id, to)) as Account).acknowledged = true
    },
    copy: (recipients: readonly string[], bytes: Buffer): void => {
      const mail = identify(bytes)
      for (const to of recipients) {
        const account = of(mail?.id ?? '(unknown)', to, mail?.sha256 ?? null)
        if (account) account.copies++
      }
    },
    /** Ids of what was acknowledged and has not arrived. */
    undelivered: (): readonly string[] =>
      [...accounts].flatMap(([k, a]) => (a.acknowledged && a.copies === 0 ? [k.slice(0, k.indexOf(' '))] : [])),
    /** After a kill: what the spool holds. Returns what is lost now. */
    killed: (waiting: readonly Waiting[]): readonly string[] => {
      for (const { id, recipient, attempts, sha256 } of waiting) {
        const account = of(id, recipient, sha256)
        if (!account) continue
        if (account.copies > 0 && !exactlyOnce(recipient)) account.doubts++
        if (attempts < account.attempts) forgetful.push(key(id, recipient))
        account.attempts = Math.max(attempts, account.attempts)
      }
      return lost(new Set(waiting.map((w) => key(w.id, w.recipient))))
    },
    findings: (waiting: readonly Waiting[]): Findings => {
      const copies = [...accounts.values()].map((a) => a.copies)
      return {
        acknowledged: [...accounts.values()].filter((a) => a.acknowledged).length,
        lost: lost(new Set(waiting.map((w) => key(w.id, w.recipient)))),
        damaged,
        unexplained: [...accounts].flatMap(([k, a]) => (a.copies > 1 + a.doubts ? [`${k}: ${a.copies} copies`] : [])),
        strangers,
        forgetful,
        duplicates: copies.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
        most: Math.max(0, ...copies),
      }
    },
  }
}
