/** A URL of a message. Plain data: it crosses a thread boundary. */
export interface FoundUrl {
  /** As it stands in the decoded text or attribute (entities resolved), so that it can be found there again. */
  readonly raw: string
  /** Absolute form that is looked up and logged: as found, a missing scheme added, line breaks and tricks undone. */
  readonly url: string
  readonly where: 'text' | 'html' | 'subject' | 'header' | 'attachment'
  /** Of an attachment: its name; members of archives and of forwarded mail follow after `/`. */
  readonly file?: string
  /**
   * Not written there as a link of its own: the target of a known link wrapper, a URL inside another URL, where a short
   * link leads (`raw` is the whole link in these cases), or a defanged one, which is looked up and never rewritten.
   */
  readonly hidden?: 'wrapped' | 'nested' | 'expanded' | 'defanged'
  /** The visible text of the link when it names another domain than the link leads to. */
  readonly shown?: string
}
