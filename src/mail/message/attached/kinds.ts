/** How an attached file is read for URLs; null = not at all. */
export type FileKind = 'text' | 'html' | 'calendar' | 'message' | 'zip' | 'gzip' | 'relations' | 'office'

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

const isZip = (b: Buffer): boolean => b.length > 3 && b.readUInt32BE(0) === 0x504b0304
const isGzip = (b: Buffer): boolean => b.length > 2 && b[0] === 0x1f && b[1] === 0x8b && b[2] === 8

const find = (table: readonly (readonly [RegExp, FileKind])[], text: string): FileKind | null =>
  table.find(([pattern]) => pattern.test(text))?.[1] ?? null

/** By content first, then by name (what a double click goes by), then by the declared type. */
export const fileKind = (bytes: Buffer, name: string, type: string): FileKind | null => {
  if (isZip(bytes)) return 'zip'
  if (isGzip(bytes)) return 'gzip'
  return find(BY_NAME, name) ?? find(BY_TYPE, type)
}

/** Members of an archive that hold no URLs that we could read; they are not even unpacked. */
export const isOpaqueName = (name: string): boolean =>
  /\/$|\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|ico|webp|mp[34]|mov|avi|wav|ttf|otf|woff2?|pdf|dll|exe|so|class|o|bin)$/i.test(
    name,
  )
