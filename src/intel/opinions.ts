import type { OpinionStore, StoredOpinion } from '../store/repositories/intel.ts'
import { decide } from './combine.ts'
import type { Decision } from './combine.ts'
import type { Scope } from './indicator.ts'
import { shortHash } from './url/hash.ts'
import type { Opinion } from './verdict.ts'

export const toOpinion = (o: StoredOpinion): Opinion => ({
  indicator: o.key,
  kind: o.kind,
  level: o.level,
  category: o.category,
  ageDays: o.ageDays,
  source: o.source,
  reason: o.reason,
  asOf: o.asOf,
  ...(o.by === null ? {} : { by: o.by }),
})

/** What the stored opinions say of something with these look-up expressions (narrowest first). */
export const judgeHashes = (store: Pick<OpinionStore, 'bearingOn'>, hashes: readonly bigint[]): Decision =>
  decide(store.bearingOn(hashes).map((o) => ({ opinion: toOpinion(o), place: o.place })))

export const judge = (store: Pick<OpinionStore, 'bearingOn'>, scopes: readonly Scope[]): Decision =>
  judgeHashes(
    store,
    scopes.map((s) => shortHash(s.key)),
  )
