import type { OpinionStore, StoredOpinion } from '../store/repositories/intel.ts'
import { decide } from './combine.ts'
import type { Decision } from './combine.ts'
import type { Scope } from './indicator.ts'
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

const keysOf = (scopes: readonly Scope[], kind: Scope['kind']): readonly string[] =>
  scopes.filter((s) => s.kind === kind).map((s) => s.key)

/** What the stored opinions say of something with these scopes (narrowest first). */
export const judge = (store: Pick<OpinionStore, 'bearingOn'>, scopes: readonly Scope[]): Decision =>
  decide(store.bearingOn(keysOf(scopes, 'url'), keysOf(scopes, 'domain')).map(toOpinion), scopes)
