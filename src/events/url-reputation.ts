import type { ProtoValue, PyValue } from '../core/python.ts'

/**
 * The url_rep_client's work, one event a log line. Payloads are the real request and answer objects;
 * the log renders them (reference/url-retrospective-verdict.txt, "Looking at the url_rep_client logs").
 */
interface Base {
  readonly mid: number
  /** Number of the look-up worker (lane) that really did it. */
  readonly thread: number
  /** The stage that asked: `antispam` where the reference has the first look-up (our URL scan), `work_queue` for the filters' later one. */
  readonly source: string
}

export type UrlReputationEvent =
  | (Base & { readonly type: 'url-rep.started'; readonly connectionGuid: string; readonly messageGuid: string })
  | (Base & { readonly type: 'url-rep.requested'; readonly request: { readonly [key: string]: PyValue | undefined } })
  | (Base & {
      readonly type: 'url-rep.wire-request'
      readonly payload: { readonly [key: string]: ProtoValue | undefined }
    })
  | (Base & {
      readonly type: 'url-rep.wire-response'
      readonly payload: { readonly [key: string]: ProtoValue | undefined }
    })
  | (Base & { readonly type: 'url-rep.batch-received'; readonly seconds: number; readonly urls: number })
  | { readonly type: 'url-rep.parsed'; readonly thread: number; readonly results: PyValue }
  | (Base & { readonly type: 'url-rep.unscored'; readonly messageGuid: string; readonly urls: readonly string[] })
  | (Base & { readonly type: 'url-rep.batch-response'; readonly urls: PyValue })
  | (Base & { readonly type: 'url-rep.cache-hits'; readonly hits: number; readonly seconds: number })
  | (Base & { readonly type: 'url-rep.information'; readonly asked: readonly string[]; readonly answers: PyValue })
  | (Base & { readonly type: 'url-rep.reply'; readonly reply: PyValue })
  | (Base & {
      readonly type: 'url-rep.summary'
      readonly total: number
      readonly passed: number
      readonly failed: number
      readonly unscanned: number
      readonly allowed: number
      readonly seconds: number
    })
  | (Base & { readonly type: 'url-rep.failed'; readonly error: string })
