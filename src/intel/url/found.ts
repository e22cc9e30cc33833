/** A URL of a message. Plain data: it crosses a thread boundary. */
export interface FoundUrl {
  /** As it stands in the decoded text or attribute (entities resolved), so that it can be found there again. */
  readonly raw: string
  /** Absolute form that is looked up and logged: as found, a missing scheme added, line breaks and tricks undone. */
  readonly url: string
  readonly where: 'text' | 'html' | 'subject' | 'header'
}
