import { urlFiltering } from '../../../config/sections/url-filtering.ts'
import { integer } from '../../../core/schema.ts'
import { STAGERS, defineCommand } from '../../command.ts'

const seconds = integer(1, 120)
const urls = integer(1, 1000)
const depth = integer(1, 10)

export default defineCommand({
  name: 'websecurityadvancedconfig',
  summary: 'Configure limits of URL filtering',
  description:
    'How long a look-up may take, how many URLs of a message are looked up, and whether an action that rewrites a URL ' +
    'changes its visible text too. A message with more URLs is told in mail_logs and marked with the header ' +
    'X-URL-LookUp-ScanningError, which a filter can act on. With shortened URLs on, known shorteners are asked where a ' +
    'link leads (not through a proxy; the target itself is not asked), and both addresses are judged.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async ({ ask, draft }) => {
    const value = draft.get(urlFiltering)
    const body = 'Enter the maximum number of URLs that can be scanned in a message body:'
    const attachments = 'Enter the maximum number of URLs that can be scanned in the attachments in a message:'
    const next = {
      ...value,
      lookupTimeoutSeconds: await ask.field(
        'Enter URL lookup timeout in seconds:',
        seconds,
        value.lookupTimeoutSeconds,
      ),
      maxUrlsInBody: await ask.field(body, urls, value.maxUrlsInBody),
      maxUrlsInAttachments: await ask.field(attachments, urls, value.maxUrlsInAttachments),
      rewriteTextAndHref: await ask.confirm(
        'Do you want to rewrite both the URL text and the href in the message?',
        value.rewriteTextAndHref,
      ),
    }
    const expandShortened = await ask.confirm(
      'Do you want to enable URL filtering for shortened URLs?',
      value.expandShortened,
    )
    const maxShortenedDepth = expandShortened
      ? await ask.field('Enter the maximum number of redirections of a shortened URL:', depth, value.maxShortenedDepth)
      : value.maxShortenedDepth
    draft.set(urlFiltering, { ...next, expandShortened, maxShortenedDepth })
  },
})
