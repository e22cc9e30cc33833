import { describe, expect, it } from 'vitest'
import { users } from '../../../src/config/sections/users.ts'
import { generatePassphrase, policyFault } from '../../../src/services/passphrases.ts'
import { seededEntropy } from '../../support/env.ts'

const { policy } = users.defaults

describe('the passphrase policy', () => {
  it.each([
    ['Snow-fall-2022', null],
    ['Ünter-fall-2022', null],
    ['short1A', /at least 8/],
    ['snow-fall-2022', /upper case/],
    ['SNOW-FALL-2022', /lower case/],
    ['Snow-fall-away', /digit/],
    ['My-Anna-2022', /user name/],
    [`Aa1${'x'.repeat(126)}`, /at most 128/],
  ])('%s', (plain, fault) => {
    const found = policyFault(policy, 'anna', plain)
    if (fault === null) expect(found).toBeNull()
    else expect(found).toMatch(fault)
  })

  it('is kept by every generated passphrase', () => {
    for (let seed = 1; seed < 50; seed++) {
      const made = generatePassphrase(seededEntropy(seed), 24)
      expect(made).toHaveLength(24)
      expect(policyFault({ ...policy, minLength: 24, special: true }, 'admin', made)).toBeNull()
    }
  })
})
