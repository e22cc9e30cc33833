import { defangUrl } from '../../../core/defang.ts'
import type { FoundUrl } from '../../../intel/url/found.ts'
import { ArgumentReader, BadUse } from '../arguments.ts'
import type { Facts } from '../facts.ts'
import { matchingUrls, readCategories, readRange, readUrlList, tellMatches, withoutScore } from '../urls.ts'
import type { VerdictTest } from '../urls.ts'
import { expand } from '../variables.ts'
import type { Action, ActionTable } from './action.ts'

interface Kind {
  readonly mode: 'defang' | 'replace' | 'redirect'
  readonly verdict: (args: ArgumentReader) => VerdictTest
}

/** The last argument: 1 acts on unsigned messages only (default), 0 on all. */
const readUnsignedOnly = (args: ArgumentReader, name: string): boolean => {
  const n = args.optionalNumber('0 or 1', 1)
  if (n !== 0 && n !== 1) throw new BadUse(`The last argument of '${name}' is 1 (unsigned messages only) or 0 (all).`)
  return n === 1
}

/** Body parts only, and never what somebody defanged: it is no link. */
const isRewritten = ({ where, hidden }: FoundUrl): boolean =>
  (where === 'text' || where === 'html') && hidden !== 'defanged'

const urlAction = ({ mode, verdict }: Kind): Action => ({
  final: false,
  compile: (call, resources) => {
    const args = new ArgumentReader(call.name, call.args)
    const wanted = verdict(args)
    const text = mode === 'replace' ? args.string('the text that replaces the URL') : ''
    const listed = readUrlList(args, resources)
    const unsignedOnly = readUnsignedOnly(args, call.name)
    args.end()
    const substitute = (
      url: string,
      facts: Facts,
      filter: string,
    ): { readonly to: string; readonly detail: string } => {
      const link = mode === 'redirect' ? facts.redirected(url) : null
      if (link !== null) return { to: link, detail: 'URL redirected to the redirect service' }
      if (mode === 'replace')
        return {
          to: expand(text, facts, filter, url),
          detail: 'URL replaced with text',
        }
      // Nobody would judge a click: the link goes rather than staying as it is.
      return { to: defangUrl(url), detail: 'URL defanged' }
    }
    return async ({ facts, filter, edit }) => {
      if (unsignedOnly && facts.parsed.signed) return
      const matches = await matchingUrls(facts, wanted, listed, isRewritten)
      if (matches.length === 0) return
      const rewritten = matches.map((match) => ({ match, ...substitute(match.found.url, facts, filter.name) }))
      for (const detail of [...new Set(rewritten.map((r) => r.detail))])
        tellMatches(
          facts,
          rewritten.filter((r) => r.detail === detail).map((r) => r.match),
          'Action',
          detail,
        )
      edit({
        kind: 'url.rewrite',
        mode: mode === 'defang' ? 'defang' : 'replace',
        visibleText: facts.rewriteVisibleText,
        replacements: new Map(rewritten.map((r) => [r.match.found.raw, r.to])),
        filter,
        action: call.name,
      })
    }
  },
})

export const urlActions: ActionTable = {
  'url-reputation-proxy-redirect': urlAction({ mode: 'redirect', verdict: readRange }),
  'url-no-reputation-proxy-redirect': urlAction({ mode: 'redirect', verdict: () => withoutScore }),
  'url-category-proxy-redirect': urlAction({ mode: 'redirect', verdict: readCategories }),
  'url-reputation-defang': urlAction({ mode: 'defang', verdict: readRange }),
  'url-reputation-replace': urlAction({ mode: 'replace', verdict: readRange }),
  'url-no-reputation-defang': urlAction({ mode: 'defang', verdict: () => withoutScore }),
  'url-no-reputation-replace': urlAction({ mode: 'replace', verdict: () => withoutScore }),
  'url-category-defang': urlAction({ mode: 'defang', verdict: readCategories }),
  'url-category-replace': urlAction({ mode: 'replace', verdict: readCategories }),
}
