import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { intelligence } from '../../../../src/config/sections/intelligence.ts'

const accepts = (change: Partial<typeof intelligence.defaults>): boolean =>
  v.is(intelligence.schema, { ...intelligence.defaults, ...change })

describe('the intelligence section', () => {
  it('takes no passphrase in an address, which every export and log of commands would show', () => {
    expect(accepts({ proxyUrl: 'http://proxy.example:3128' })).toBe(true)
    expect(accepts({ proxyUrl: 'http://user:secret@proxy.example:3128' })).toBe(false)
    expect(accepts({ serviceUrl: 'https://intel.example:8443' })).toBe(true)
    expect(accepts({ serviceUrl: 'https://user:secret@intel.example' })).toBe(false)
  })
})
