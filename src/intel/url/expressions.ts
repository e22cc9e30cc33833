import type { CanonicalUrl } from './canonical.ts'
import { hostAndParents } from './suffix.ts'

/** Parents of a host whose pages are looked up: Safe Browsing takes the last five labels and cuts from the left. */
const MAX_PARENTS = 4
const MAX_FOLDERS = 4

/**
 * Host names whose domain opinions bear on this host, narrowest first. Never a public suffix above a rented name. All of
 * them: an opinion of a domain counts for everything below it, however many labels a sender puts in front.
 */
export const domainKeys = (host: string): readonly string[] => hostAndParents(host, Infinity)

/**
 * `host/path` texts whose URL opinions bear on this URL, narrowest first: the host and up to four parents, each with
 * the path with query, without, and up to four leading folders (the root among them).
 */
export const urlKeys = (url: CanonicalUrl): readonly string[] => {
  const paths = new Set<string>()
  if (url.query !== null) paths.add(`${url.path}?${url.query}`)
  paths.add(url.path)
  const folders = ['/']
  for (let at = url.path.indexOf('/', 1); at > 0 && folders.length < MAX_FOLDERS; at = url.path.indexOf('/', at + 1))
    folders.push(url.path.slice(0, at + 1))
  for (const folder of folders.reverse()) paths.add(folder)
  return hostAndParents(url.host, MAX_PARENTS).flatMap((host) => [...paths].map((path) => host + path))
}
