/**
 * Runs of readable characters in a file that has no reader here: Office documents and Outlook messages of before XML
 * (MS-CFB), OneNote. They hold their links as plain text, 8-bit or UTF-16LE.
 */
const RUN_8BIT = /[\x20-\x7e]{8,4096}/g
const RUN_16BIT = /(?:[\x20-\x7e]\0){8,4096}/g

/** One run a line. Linear in the length of `bytes`. */
export const readableRuns = (bytes: Buffer): string => {
  const all = bytes.toString('latin1')
  const narrow = all.match(RUN_8BIT) ?? []
  const wide = (all.match(RUN_16BIT) ?? []).map((run) => run.replaceAll('\0', ''))
  return [...narrow, ...wide].join('\n')
}
