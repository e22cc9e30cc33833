import { isDnsList } from '../../config/sections/intelligence.ts'
import type { DnsLists } from './dns-lists.ts'
import type { SourceLoader } from './loader.ts'

/** Sources of both kinds behind one face: sets that are loaded, and DNS lists that are asked. */
export const withDnsLists = (sets: SourceLoader, lists: DnsLists): SourceLoader => ({
  load: async (source, signal, force) => {
    if (!isDnsList(source)) {
      lists.drop(source.name)
      return await sets.load(source, signal, force)
    }
    // A set that another source of this name left behind.
    if (sets.status(source).loadedAt !== null) await sets.forget(source.name)
    await lists.check(source, signal)
    return 0
  },
  status: (source) => (isDnsList(source) ? lists.status(source) : sets.status(source)),
  forget: async (name) => {
    lists.drop(name)
    await sets.forget(name)
  },
})
