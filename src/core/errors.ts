/** An operator's mistake: printed as its one line, no stack; the command exits 1. */
export class UserError extends Error {
  override name = 'UserError'
}

/** Ctrl-C: the present dialogue is dropped and the shell returns to its top-level prompt. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/** The input ended inside a dialogue; the dialogue is abandoned. */
export class EndOfInput extends Error {
  override name = 'EndOfInput'
}

/** Codes are stable: operators and tests match them, never the text. */
export type FaultCode =
  | 'STORE_BUSY'
  | 'STORE_FULL'
  | 'STORE_CORRUPT'
  | 'UPSTREAM_UNAVAILABLE'
  | 'TIMED_OUT'
  | 'NOT_CONFIGURED'
  | 'PERMISSION_DENIED'
  | 'INTERNAL'

/** Something failed that no operator typed. Logged with its code; the cause is kept. */
export class Fault extends Error {
  override name = 'Fault'
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A finding of `verify` or `prepare`: an error refuses the commit, a warning is printed. */
export interface Issue {
  readonly path: string
  readonly message: string
  readonly severity: 'error' | 'warning'
}

/** The text of anything thrown, on one line. */
export const errorText = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error)).replace(/\s*[\r\n]+\s*/g, ' ')
