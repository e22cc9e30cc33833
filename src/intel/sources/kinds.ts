import { isDnsList, isHashList } from '../../config/sections/intelligence.ts'
import type { DnsLists } from './dns-lists.ts'
import type { HashLists } from './hash-lists.ts'
import type { SourceLoader } from './loader.ts'

/** Sources of all kinds behind one face: sets that are loaded, lists of hashes that are kept, and DNS lists that are asked. */
export const withLists = (sets: SourceLoader, hashes: HashLists, dns: DnsLists | null): SourceLoader => ({
  load: async (source, signal, force) => {
    if (!isDnsList(source)) dns?.drop(source.name)
    if (!isHashList(source)) await hashes.drop(source.name)
    if (isHashList(source)) return await hashes.check(source, signal)
    if (dns === null || !isDnsList(source)) return await sets.load(source, signal, force)
    // A set that another source of this name left behind.
    if (sets.status(source).loadedAt !== null) await sets.forget(source.name)
    await dns.check(source, signal)
    return 0
  },
  status: (source) => {
    if (isHashList(source)) return hashes.status(source)
    return dns !== null && isDnsList(source) ? dns.status(source) : sets.status(source)
  },
  forget: async (name) => {
    dns?.drop(name)
    await hashes.drop(name)
    await sets.forget(name)
  },
})
