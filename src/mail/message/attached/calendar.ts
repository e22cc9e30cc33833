/** iCalendar and vCard (RFC 5545 §3.1, RFC 6350 §3.2), for their URLs only. */

const unfold = (text: string): string => text.replace(/\r?\n[ \t]/g, '')
const unescape = (value: string): string => value.replace(/\\([\\;,nN])/g, (_, c: string) => (/n/i.test(c) ? '\n' : c))

/** The running text, and the descriptions that are HTML. */
export const calendarTexts = (content: string): { readonly text: string; readonly html: string } => {
  const text: string[] = []
  const html: string[] = []
  for (const line of unfold(content).split(/\r?\n/)) {
    if (/^(?:X-ALT-DESC|STYLED-DESCRIPTION)[;:]/i.test(line)) html.push(unescape(line.slice(line.indexOf(':') + 1)))
    else text.push(unescape(line).replace(/^URL[^:]{0,200}:/i, ''))
  }
  return { text: text.join('\n'), html: html.join('\n') }
}
