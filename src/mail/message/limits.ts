/** What one message may cost. Beyond a limit it is unscannable (`ScanOutcome`), not lost. */
export interface ScanLimits {
  readonly headerBytes: number
  readonly headers: number
  readonly parts: number
  readonly depth: number
  /** Characters of text kept per part, and of all parts together. */
  readonly textPerPart: number
  readonly text: number
  /** Distinct URLs of header and body, and of the attachments, that are looked up (`websecurityadvancedconfig`). */
  readonly urls: number
  readonly attachmentUrls: number
  /** Of all archives of a message together. */
  readonly unpackedBytes: number
  readonly unpackedFiles: number
  readonly archiveDepth: number
  /** Pictures searched for QR codes, those of PDF documents among them, and pixels of one; larger ones are not decoded. */
  readonly images: number
  readonly pixels: number
  readonly pdfPages: number
}

/** How many URLs of one message are looked up. */
export interface UrlLimits {
  readonly body: number
  readonly attachments: number
}

export const SCAN_LIMITS: ScanLimits = {
  // What a listener takes (SMTP_LIMITS), and what we add to it.
  headerBytes: 1_114_112,
  headers: 5000,
  parts: 2000,
  depth: 50,
  textPerPart: 2_097_152,
  text: 8_388_608,
  urls: 100,
  attachmentUrls: 25,
  unpackedBytes: 33_554_432,
  unpackedFiles: 1000,
  archiveDepth: 5,
  images: 20,
  pixels: 16_777_216,
  pdfPages: 100,
}
