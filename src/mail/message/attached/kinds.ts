/** How an attached file is read for URLs; null = not at all. */
export type FileKind = TextKind | 'message' | 'zip' | 'gzip' | 'archive' | 'pdf' | 'image' | 'binary'

/** Files that are text once their character set is undone. */
export type TextKind = 'text' | 'html' | 'calendar' | 'relations' | 'office'

const BY_TYPE: readonly (readonly [RegExp, FileKind])[] = [
  [/^text\/calendar$/, 'calendar'],
  [/^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml|(?:text|application)\/(?:[a-z.+-]+\+)?xml)$/, 'html'],
  [/^(?:text\/.*|application\/rtf)$/, 'text'],
  [/^message\/rfc822$/, 'message'],
]

const BY_NAME: readonly (readonly [RegExp, FileKind])[] = [
  [/\.rels$/i, 'relations'],
  [/^(?:word|xl|ppt|visio)\/.*\.xml$|\/(?:word|xl|ppt|visio)\/[^!]*\.xml$/i, 'office'],
  [/\.(?:ics|ical|ifb|vcs|vcf)$/i, 'calendar'],
  [/\.(?:html?|shtml?|xhtml?|xht|svg|xml|mht|webloc|wsf|hta)$/i, 'html'],
  [/\.(?:txt|text|csv|tsv|md|rtf|url|website|desktop|log|json|ya?ml|ini|bat|cmd|ps1|js|vbs)$/i, 'text'],
  [/\.eml$/i, 'message'],
]

/** What a file begins with, as latin1. Compound files are Office documents and Outlook messages of before XML. */
const BY_CONTENT: readonly (readonly [RegExp, FileKind])[] = [
  [/^PK\x03\x04/, 'zip'],
  [/^\x1f\x8b\x08/, 'gzip'],
  [/^(?:Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\xfd7zXZ\x00|BZh[1-9]1AY&SY|[^]{257}ustar)/, 'archive'],
  // Readers search the first kilobyte for it.
  [/^[^]{0,1023}%PDF-\d/, 'pdf'],
  [/^(?:\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|BM[^]{4}\0\0\0\0)/, 'image'],
  [/^(?:\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d)/, 'binary'],
]
const MAGIC_BYTES = 1030

const find = (table: readonly (readonly [RegExp, FileKind])[], text: string): FileKind | null =>
  table.find(([pattern]) => pattern.test(text))?.[1] ?? null

/** By content first, then by name (what a double click goes by), then by the declared type. */
export const fileKind = (bytes: Buffer, name: string, type: string): FileKind | null =>
  find(BY_CONTENT, bytes.toString('latin1', 0, MAGIC_BYTES)) ?? find(BY_NAME, name) ?? find(BY_TYPE, type)

/** Members of an archive that hold no URLs that we could read; they are not even unpacked. */
export const isOpaqueName = (name: string): boolean =>
  /\/$|\.(?:tiff?|emf|wmf|ico|webp|mp[34]|mov|avi|wav|ttf|otf|woff2?|dll|exe|so|class|o|bin)$/i.test(name)
