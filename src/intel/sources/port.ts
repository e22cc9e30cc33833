/** Files of opinions. adapters/files implements it. */
export interface SourceFiles {
  /** Changes when the file does; rejects when it cannot be read. */
  identity(path: string): Promise<{ readonly fingerprint: string; readonly bytes: number }>
  read(path: string, maxBytes: number, signal: AbortSignal): Promise<string>
}
