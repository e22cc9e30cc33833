/** Pages of the redirect service: no script, no style, no request of their own. */

const escape = (text: string): string =>
  text.replace(/[&<>"']|[^\x20-\x7e]/gu, (c) => `&#${c.codePointAt(0) ?? 0xfffd};`)

const page = (title: string, body: string): string =>
  `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">` +
  `<meta name="viewport" content="width=device-width"><title>${title}</title></head>\n` +
  `<body><h1>${title}</h1>\n${body}\n</body></html>\n`

export const blockedPage = (url: string): string =>
  page(
    'This link was blocked',
    `<p>It leads to a page that is known, or for this organization taken, to be harmful:</p>\n` +
      `<p><code>${escape(url)}</code></p>\n<p>If you think that this is wrong, ask your administrator.</p>`,
  )

export const askPage = (url: string): string =>
  page(
    'Nothing is known about this link',
    `<p>It came in an e-mail and leads to:</p>\n<p><code>${escape(url)}</code></p>\n` +
      `<p>Go on only if you know and expect it. Enter no password there.</p>\n` +
      `<p><a rel="noreferrer noopener nofollow" href="${escape(url)}">Continue to this page</a></p>`,
  )

export const expiredPage = (): string =>
  page('This link has expired', '<p>Ask whoever sent you the message for a new one.</p>')

export const notFoundPage = (): string =>
  page('Not found', '<p>This is no link of this service, or it was changed on its way.</p>')

export const busyPage = (): string => page('Too many requests', '<p>Wait a minute and try again.</p>')
