import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createShortLinks } from '../../../../src/adapters/http/short-links.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import type { Resolver } from '../../../../src/core/resolver.ts'
import { isShortened } from '../../../../src/intel/url/shorteners.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const NOWHERE = new AbortController().signal

/** All names live on one loopback server; `seen` has `METHOD host path` of each request. */
const start = async (
  answer: RequestListener,
  over: { readonly addresses?: (name: string) => readonly string[]; readonly isAllowed?: (a: string) => boolean } = {},
) => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.host?.split(':')[0]} ${request.url}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const resolver: Resolver = {
    resolve: async (name, type) => (type === 'A' ? (over.addresses?.(name) ?? ['127.0.0.1']) : []),
    reverse: async () => [],
  }
  const links = createShortLinks({
    clock: systemClock,
    resolver,
    userAgent: 'test',
    isAllowed: over.isAllowed ?? ((address) => address === '127.0.0.1'),
  })
  closing.push(async () => {
    await links.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    seen,
    port,
    expand: (path: string, depth = 10) => links.expand(`http://${path.replace('/', `:${port}/`)}`, depth, NOWHERE),
  }
}

const redirect =
  (to: Readonly<Record<string, string>>): RequestListener =>
  ({ url = '', headers: { host = '' } }, response) => {
    const target = to[`${host.split(':')[0]}${url}`]?.replace('PORT', host.split(':')[1] ?? '')
    if (target === undefined) response.writeHead(404).end()
    else response.writeHead(301, { location: target }).end()
  }

describe('short links', () => {
  it('are links of known shorteners that name something', () => {
    for (const url of ['https://bit.ly/3x', 'http://www.tinyurl.com/a', 'https://x.short.gy/a'])
      expect(isShortened(url)).toBe(true)
    for (const url of [
      'https://bit.ly/',
      'https://notbit.ly/a',
      'https://bit.ly.evil.example/a',
      'ftp://bit.ly/a',
      'https://u@bit.ly/a',
    ])
      expect(isShortened(url)).toBe(false)
  })

  it('lead over other shorteners to a target, which is not asked', async () => {
    const { expand, seen } = await start(
      redirect({ 'bit.ly/a': 'http://t.co:PORT/b', 't.co/b': 'https://once.example/token?x=1' }),
    )
    expect(await expand('bit.ly/a')).toBe('https://once.example/token?x=1')
    expect(seen).toEqual(['HEAD bit.ly /a', 'HEAD t.co /b'])
    expect(await expand('bit.ly/a')).toBe('https://once.example/token?x=1')
    expect(seen).toHaveLength(2)
  })

  it('are asked with GET where HEAD is not understood, and no body is read', async () => {
    const { expand, seen } = await start(({ method }, response) => {
      if (method === 'HEAD') response.writeHead(405).end()
      else {
        response.writeHead(302, { location: 'http://target.example/' })
        response.write('endless')
      }
    })
    expect(await expand('bit.ly/a')).toBe('http://target.example/')
    expect(seen).toEqual(['HEAD bit.ly /a', 'GET bit.ly /a'])
  })

  it('that lead nowhere, in a circle, too far or to no web page have no target', async () => {
    const { expand, seen } = await start(
      redirect({
        'bit.ly/circle': 'http://bit.ly:PORT/circle',
        'bit.ly/script': 'javascript:alert(1)',
        'bit.ly/1': 'http://bit.ly:PORT/2',
        'bit.ly/2': 'http://target.example/',
      }),
    )
    expect(await expand('bit.ly/gone')).toBeNull()
    expect(await expand('bit.ly/script')).toBeNull()
    expect(await expand('bit.ly/1', 1)).toBeNull()
    expect(await expand('bit.ly/1', 2)).toBe('http://target.example/')
    seen.length = 0
    expect(await expand('bit.ly/circle', 4)).toBeNull()
    expect(seen).toHaveLength(4)
  })

  it('reach no address inside, whatever a name answers', async () => {
    for (const addresses of [['10.0.0.1'], ['169.254.169.254'], ['127.0.0.1', '203.0.113.1'], []]) {
      const { expand, seen } = await start(redirect({ 'bit.ly/a': 'http://target.example/' }), {
        addresses: () => addresses,
        isAllowed: (address) => address === '203.0.113.1',
      })
      expect(await expand('bit.ly/a')).toBeNull()
      expect(seen).toEqual([])
    }
  })

  it('connect to the address that was checked', async () => {
    let asked = 0
    const { expand, seen } = await start(redirect({ 'bit.ly/a': 'http://target.example/' }), {
      addresses: () => (asked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1']),
    })
    expect(await expand('bit.ly/a')).toBe('http://target.example/')
    expect(seen).toEqual(['HEAD bit.ly /a'])
    expect(asked).toBe(1)
  })
})
