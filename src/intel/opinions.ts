import type { OpinionStore, StoredOpinion } from '../store/repositories/intel.ts'
import { decide } from './combine.ts'
import type { Decision, Placed } from './combine.ts'
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

const placed = (store: Pick<OpinionStore, 'bearingOn'>, hashes: readonly bigint[]): readonly Placed[] =>
  store.bearingOn(hashes).map((o) => ({ opinion: toOpinion(o), place: o.place }))

/** What the stored opinions say of something with these look-up expressions (narrowest first). */
export const judgeHashes = (store: Pick<OpinionStore, 'bearingOn'>, hashes: readonly bigint[]): Decision =>
  decide(placed(store, hashes))

/** `asked`: opinions that no store holds (DNS lists), of indicators among the scopes. */
export const judge = (
  store: Pick<OpinionStore, 'bearingOn'>,
  scopes: readonly Scope[],
  asked: readonly Opinion[] = [],
): Decision =>
  decide([
    ...placed(
      store,
      scopes.map((s) => shortHash(s.key)),
    ),
    ...asked.map((opinion) => ({
      opinion,
      place: scopes.findIndex((s) => s.kind === opinion.kind && s.key === opinion.indicator),
    })),
  ])
