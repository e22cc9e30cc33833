/** What one message may cost. Beyond a limit it is unscannable (`ScanOutcome`), not lost. */
export interface ScanLimits {
  readonly headerBytes: number
  readonly headers: number
  readonly parts: number
  readonly depth: number
  /** Characters of text kept per part, and of all parts together. */
  readonly textPerPart: number
  readonly text: number
  /** Distinct URLs of a message that are looked up (`websecurityconfig`). */
  readonly urls: number
}

export const SCAN_LIMITS: ScanLimits = {
  headerBytes: 1_048_576,
  headers: 5000,
  parts: 2000,
  depth: 50,
  textPerPart: 2_097_152,
  text: 8_388_608,
  urls: 100,
}
