import type { UrlExtractor } from '../../src/mail/message/parse.ts'

/** A URL finder for tests that are not about finding URLs: `http://…` up to a blank, quote or angle bracket. */
export const plainUrls: UrlExtractor = (part, limit) =>
  [...part.content.replaceAll('&amp;', '&').matchAll(/https?:\/\/[^\s<>"']+/g)]
    .slice(0, limit)
    .map((m) => ({ raw: m[0], url: m[0], where: part.kind }))
