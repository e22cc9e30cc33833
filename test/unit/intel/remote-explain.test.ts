import { describe, expect, it } from 'vitest'
import { Fault, UserError } from '../../../src/core/errors.ts'
import type { IntelLookup } from '../../../src/intel/lookup.ts'
import { explainRemotely } from '../../../src/intel/remote-explain.ts'
import type { Opinion } from '../../../src/intel/verdict.ts'

const signal = new AbortController().signal
const opinion: Opinion = {
  indicator: 'bad.example',
  kind: 'domain',
  level: 'awful',
  category: 'Spam',
  ageDays: 1,
  source: 'feed',
  reason: 'seen',
  asOf: new Date(0),
}
const lookup: IntelLookup = {
  name: 'service',
  urls: async (urls) =>
    new Map(urls.map((url) => [url, { url, level: 'untrusted', score: -9, category: null, because: opinion }])),
  sender: async (query) => ({
    level: query.envelopeFrom === 'bad.example' ? 'awful' : 'unknown',
    category: null,
    suspected: [],
    ageDays: null,
    ageDomain: null,
    because: [],
  }),
}
const explain = (text: string, from = lookup) => explainRemotely(from, 'https://intel.example', text, signal)

describe('an explanation by a shared service', () => {
  it('is what the service says of a URL, with the opinion that decided', async () => {
    expect(await explain('http://bad.example/x')).toEqual({
      indicator: 'bad.example/x',
      verdict: 'Untrusted',
      score: -9,
      rule: 'The intelligence service https://intel.example says so.',
      opinions: [opinion],
    })
  })

  it('is what the service says of a domain', async () => {
    expect(await explain('bad.example')).toMatchObject({ verdict: 'Untrusted', score: -9 })
    expect(await explain('new.example')).toMatchObject({ verdict: 'Unknown', score: null })
  })

  it('is one clear line when the service is away, answers nothing, or the question is no indicator', async () => {
    const away = () =>
      Promise.reject(new Fault('UPSTREAM_UNAVAILABLE', 'intel.example cannot be reached (ECONNREFUSED)'))
    await expect(explain('bad.example', { ...lookup, sender: away })).rejects.toThrow(
      /could not be asked: .*ECONNREFUSED/,
    )
    const nothing = { ...lookup, urls: async () => new Map() }
    await expect(explain('bad.example/x', nothing)).rejects.toThrow('it gave no verdict')
    await expect(explain('not a url')).rejects.toBeInstanceOf(UserError)
  })
})
