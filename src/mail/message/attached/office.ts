import { unescapeHtml } from '../edit-html.ts'

/** Parts of OOXML documents, for their URLs only. Namespace names are URLs too, and are none to anybody's reader. */

const RELATIONSHIP = /<(?:[a-z0-9]{1,16}:)?Relationship\s[^<>]{0,20000}>/gi
const TARGET = /\sTarget\s*=\s*(?:"([^"]*)"|'([^']*)')/i
const EXTERNAL = /\sTargetMode\s*=\s*["']External["']/i

/** The outside targets of a `.rels` part (hyperlinks, linked images, attached templates), one a line. */
export const relationTargets = (xml: string): string =>
  [...xml.matchAll(RELATIONSHIP)]
    .filter(([tag]) => EXTERNAL.test(tag))
    .map(([tag]) => {
      const m = TARGET.exec(tag)
      return unescapeHtml(m?.[1] ?? m?.[2] ?? '')
    })
    .join('\n')

/** The running text of a part: runs of a paragraph joined, so that a URL is whole however it was typed. */
export const officeText = (xml: string): string =>
  unescapeHtml(
    xml
      .replace(/<\/?(?:w:(?:p|br|cr|tab|instrText|tc)|a:(?:p|br)|si|is|c|f|row)(?:\s[^<>]{0,4000})?\/?>/g, '\n')
      .replace(/<[^<>]{0,20000}>/g, ''),
  )
