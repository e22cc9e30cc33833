import type { UrlLimits } from '../message/limits.ts'
import type { ParsedMessage } from '../message/parsed.ts'
import type { Edit } from './stage.ts'

/** Parsing, editing and pattern search of untrusted content, off the main thread and under a deadline. */
export interface Scanner {
  /** Never rejects for what a message holds: such a message comes back with `scan.ok` false and its headers. */
  scan(raw: Buffer, urls: UrlLimits, signal: AbortSignal): Promise<ParsedMessage>
  /** @throws Fault TIMED_OUT or INTERNAL when the edits cannot be made. */
  edit(raw: Buffer, edits: readonly Edit[], maxUrls: number, signal: AbortSignal): Promise<Buffer>
  /** Matches of a pattern in all texts together, counted up to `enough`. @throws Fault TIMED_OUT */
  count(pattern: string, texts: readonly string[], enough: number, signal: AbortSignal): Promise<number>
}
