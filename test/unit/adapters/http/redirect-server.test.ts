import { afterEach, describe, expect, it } from 'vitest'
import { startRedirectServer } from '../../../../src/adapters/http/redirect-server.ts'
import { redirect } from '../../../../src/config/sections/redirect.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import type { ThreatLevel } from '../../../../src/events/levels.ts'
import { readRedirect, redirectLink } from '../../../../src/intel/url/redirect.ts'
import { createRedirectClicks } from '../../../../src/services/redirect-clicks.ts'
import { TestConfig } from '../../../support/config-reader.ts'
import { testEnv } from '../../../support/env.ts'

const KEY = Buffer.alloc(32, 7)
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const start = async (level: ThreatLevel | 'failed') => {
  const env = testEnv()
  const events = createEventBus(env.clock)
  const clicks: ApplianceEvent[] = []
  events.subscribe((_at, event) => void clicks.push(event))
  const config = new TestConfig().set(redirect, { ...redirect.defaults, enabled: true, key: KEY.toString('base64') })
  const answer = createRedirectClicks({
    env,
    events,
    config,
    reputation: {
      lookup: async ({ urls, onFailed }) => {
        if (level !== 'failed')
          return new Map(urls.map((url) => [url, { url, level, score: null, category: null, because: null }]))
        onFailed?.(urls)
        return new Map()
      },
      diagnostics: () => {
        throw new Error('not asked')
      },
      flush: () => undefined,
    },
  })
  const server = await startRedirectServer({ answer, address: '127.0.0.1', port: 0, tls: null })
  closing.push(() => server.stop(0))
  const base = `http://127.0.0.1:${server.port}`
  const link = (url: string, days = 1): string => {
    const expires = new Date(env.clock.now().getTime() + days * 86_400_000)
    return redirectLink(KEY, base, { url, mid: 42, expires }) ?? 'none'
  }
  const ask = async (url: string, method = 'GET') => {
    const response = await fetch(url, { method, redirect: 'manual' })
    return { status: response.status, headers: response.headers, body: await response.text() }
  }
  return { link, ask, clicks, base, env }
}

const TARGET = 'http://shop.example/a?x=1&y=%22'

describe('the redirect service', () => {
  it('sends a click on a good URL straight on and records it under its message', async () => {
    const { link, ask, clicks } = await start('favorable')
    const { status, headers } = await ask(link(TARGET))
    expect([status, headers.get('location')]).toEqual([302, TARGET])
    expect(clicks).toMatchObject([{ type: 'url.clicked', mid: 42, url: TARGET, outcome: 'redirected' }])
  })

  it('shows a page for a malicious URL, with nothing in it that a browser opens', async () => {
    const { link, ask, clicks } = await start('untrusted')
    const { status, headers, body } = await ask(link('http://bad.example/<script>'))
    expect([status, headers.get('location'), headers.get('set-cookie')]).toEqual([403, null, null])
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(body).toContain('bad[.]example')
    expect(body).not.toMatch(/href|<script/)
    expect(clicks).toMatchObject([{ outcome: 'blocked' }])
  })

  it.each(['unknown', 'questionable', 'failed'] as const)(
    'asks before it goes on to a URL that is %s',
    async (level) => {
      const { link, ask } = await start(level)
      const { status, body } = await ask(link(TARGET))
      expect(status).toBe(200)
      expect(body).toContain('href="http://shop.example/a?x=1&#38;y=%22"')
    },
  )

  it('believes no link that was changed, has expired or is not its own', async () => {
    const { link, ask, clicks, base } = await start('favorable')
    const good = link(TARGET)
    const at = good.length - 60
    const changed = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1)
    expect((await ask(changed)).status).toBe(404)
    expect((await ask(`${good}?x`)).status).toBe(404)
    expect((await ask(`${base}/?url=http://bad.example`)).status).toBe(404)
    expect((await ask(link(TARGET, -1))).status).toBe(410)
    expect((await ask(`${base}/u/${'A'.repeat(5000)}`)).status).toBe(414)
    expect((await ask(good, 'POST')).status).toBe(405)
    expect(clicks).toEqual([])
  })

  it('answers HEAD like GET and counts no click', async () => {
    const { link, ask, clicks } = await start('favorable')
    expect((await ask(link(TARGET), 'HEAD')).status).toBe(302)
    expect(clicks).toEqual([])
  })

  it('makes links of http and https only, and never shows the MID in them', async () => {
    const { link, env } = await start('favorable')
    for (const url of ['javascript:alert(1)', 'ftp://a.example/', `http://a.example/${'x'.repeat(2000)}`])
      expect(link(url)).toBe('none')
    const { pathname } = new URL(link(TARGET))
    expect(readRedirect(KEY, pathname, env.clock.now())).toMatchObject({ mid: 42, url: TARGET })
    expect(readRedirect(Buffer.alloc(32, 8), pathname, env.clock.now())).toBe('invalid')
    const mid = Buffer.alloc(8)
    mid.writeBigUInt64BE(42n)
    expect(Buffer.from(pathname.slice(3), 'base64url').includes(mid)).toBe(false)
  })
})
