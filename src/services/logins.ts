import type { Clock } from '../core/clock.ts'

/** A session that was, or failed attempts in a row from one place. */
export interface LoginRecord {
  readonly user: string
  readonly from: string
  readonly at: Date
  readonly end: Date | null
  /** `lost`: the appliance ended without a word; `refused`: never came in. */
  readonly state: 'present' | 'left' | 'timed out' | 'lost' | 'refused'
  /** Failed attempts that this record stands for; 1 for a session. */
  readonly attempts: number
}

export interface PresentLogin {
  readonly user: string
  readonly from: string
  readonly at: Date
  readonly idleMs: number
  readonly what: string
}

export interface OpenLogin {
  end(state: 'left' | 'timed out'): void
}

/** Where the records survive a restart. */
export interface LoginStore {
  load(): readonly LoginRecord[]
  save(records: readonly LoginRecord[]): void
}

/** Who is here (`who`) and who was (`last`). */
export interface Logins {
  open(login: {
    readonly user: string
    readonly from: string
    readonly what: string
    readonly idleMs: () => number
  }): OpenLogin
  /** Failed attempts under one name from one place, that follow each other, are one record. */
  refused(user: string, from: string): void
  present(): readonly PresentLogin[]
  /** Newest first. */
  recent(limit: number): readonly LoginRecord[]
  /** Writes what is not written yet. */
  close(): void
}

const MAX_RECORDS = 500
const SAME_ATTACK_MS = 3_600_000
/** A count that grows by thousands is not written each time. */
const worthSaving = (attempts: number): boolean => attempts < 4 || attempts % 50 === 0

interface Kept {
  user: string
  from: string
  at: Date
  end: Date | null
  state: LoginRecord['state']
  attempts: number
}

export const createLogins = (deps: { readonly clock: Pick<Clock, 'now'>; readonly store: LoginStore }): Logins => {
  const { clock, store } = deps
  let records: Kept[] = store
    .load()
    .slice(-MAX_RECORDS)
    .map((r) => ({ ...r, state: r.state === 'present' ? ('lost' as const) : r.state }))
  const present = new Map<Kept, { readonly what: string; readonly idleMs: () => number }>()

  const save = (): void => store.save(records.map((r) => ({ ...r })))
  const add = (record: Kept): void => {
    records = [...records, record].slice(-MAX_RECORDS)
    save()
  }

  return {
    open: ({ user, from, what, idleMs }) => {
      const record: Kept = { user, from, at: clock.now(), end: null, state: 'present', attempts: 1 }
      present.set(record, { what, idleMs })
      add(record)
      return {
        end: (state) => {
          if (!present.delete(record)) return
          record.end = clock.now()
          record.state = state
          save()
        },
      }
    },
    refused: (user, from) => {
      const now = clock.now()
      const known = records.findLast((r) => r.state === 'refused' && r.user === user && r.from === from)
      if (known === undefined || now.getTime() - (known.end ?? known.at).getTime() > SAME_ATTACK_MS) {
        add({ user, from, at: now, end: now, state: 'refused', attempts: 1 })
        return
      }
      known.attempts++
      known.end = now
      if (worthSaving(known.attempts)) save()
    },
    present: () =>
      [...present].map(([r, { what, idleMs }]) => ({ user: r.user, from: r.from, at: r.at, idleMs: idleMs(), what })),
    recent: (limit) => records.slice(-limit).reverse(),
    close: save,
  }
}
