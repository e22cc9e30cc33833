import { extractUrls } from '../../intel/url/extract.ts'
import { applyEdits } from '../message/edit.ts'
import { SCAN_LIMITS } from '../message/limits.ts'
import type { UrlLimits } from '../message/limits.ts'
import { parseMessage } from '../message/parse.ts'
import type { ParsedMessage } from '../message/parsed.ts'
import { countMatches } from './count.ts'
import type { Edit } from './stage.ts'

/** Work on untrusted content: done in a scan worker, under a deadline. Plain data both ways. */
export type ScanTask =
  | { readonly kind: 'scan'; readonly raw: Uint8Array; readonly urls: UrlLimits }
  | { readonly kind: 'edit'; readonly raw: Uint8Array; readonly edits: readonly Edit[]; readonly maxUrls: number }
  | { readonly kind: 'count'; readonly pattern: string; readonly texts: readonly string[]; readonly enough: number }

export interface ScanAnswer {
  readonly scan: ParsedMessage
  readonly edit: Uint8Array
  readonly count: number
}

/** A view on the same bytes: what crosses a thread arrives as a plain Uint8Array. */
const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const runScanTask = async (task: ScanTask): Promise<ScanAnswer[ScanTask['kind']]> => {
  if (task.kind === 'count') return countMatches(task.pattern, task.texts, task.enough)
  if (task.kind === 'scan') {
    const { body, attachments } = task.urls
    const limits = { ...SCAN_LIMITS, urls: body, attachmentUrls: attachments }
    return parseMessage(buffer(task.raw), limits, extractUrls)
  }
  const limits = { ...SCAN_LIMITS, urls: task.maxUrls }
  return applyEdits(buffer(task.raw), task.edits, { limits, extract: extractUrls })
}
