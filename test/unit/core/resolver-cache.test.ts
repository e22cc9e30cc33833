import { expect, it } from 'vitest'
import { cachedResolver } from '../../../src/core/resolver-cache.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const failing = (code: string) => Object.assign(new Error(code), { code })

const made = (answer: (name: string) => Promise<unknown>) => {
  const clock = new FakeClock()
  const asked: string[] = []
  const resolver = cachedResolver({
    clock,
    minTtlMs: () => 60_000,
    upstream: {
      resolve: async (name, type) => {
        asked.push(`${type} ${name}`)
        return await answer(name)
      },
      reverse: async (address) => {
        asked.push(address)
        return ['host.example']
      },
    },
  })
  return { clock, asked, resolver }
}

it('an answer is kept for the minimum time to live, whatever the case of the name', async () => {
  const { clock, asked, resolver } = made(async () => ['192.0.2.1'])
  expect(await resolver.resolve('a.example', 'A')).toEqual(['192.0.2.1'])
  await resolver.resolve('A.Example', 'A')
  await resolver.reverse('192.0.2.1')
  await resolver.reverse('192.0.2.1')
  expect(asked).toEqual(['A a.example', '192.0.2.1'])
  await clock.advance(60_001)
  await resolver.resolve('a.example', 'A')
  expect(asked).toHaveLength(3)
})

it('the same question asked by many at once is asked once', async () => {
  const { asked, resolver } = made(async () => [])
  await Promise.all(Array.from({ length: 20 }, () => resolver.resolve('a.example', 'MX')))
  expect(asked).toHaveLength(1)
})

it.each([
  ['ENOTFOUND', 1],
  ['ENODATA', 1],
  ['ETIMEOUT', 2],
  ['ESERVFAIL', 2],
])('after %s the second question asks %i times in all', async (code, times) => {
  const { asked, resolver } = made(() => Promise.reject(failing(code)))
  await expect(resolver.resolve('a.example', 'A')).rejects.toThrow(code)
  await expect(resolver.resolve('a.example', 'A')).rejects.toThrow(code)
  expect(asked).toHaveLength(times)
})

it('a flush forgets also what was under way', async () => {
  let release: (value: unknown) => void = () => undefined
  const { asked, resolver } = made(() => new Promise((resolve) => (release = resolve)))
  const first = resolver.resolve('a.example', 'A')
  await Promise.resolve()
  expect(resolver.flush()).toBe(0)
  release(['old'])
  await first
  void resolver.resolve('a.example', 'A')
  await Promise.resolve()
  expect(asked).toHaveLength(2)
})
