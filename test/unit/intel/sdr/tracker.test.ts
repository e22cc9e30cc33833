import { describe, expect, it } from 'vitest'
import { makeTracker, verifyTracker } from '../../../../src/intel/sdr/tracker.ts'
import { levelsForWord, SDR_WORDS } from '../../../../src/intel/sdr/vocabulary.ts'
import { SENDER_LEVELS } from '../../../../src/events/levels.ts'

const key = Buffer.alloc(32, 7)
const verdict = { at: new Date('2022-03-30T00:20:10Z'), mid: 63280, level: 'neutral' as const }

describe('the tracker header', () => {
  it("has the reference's form: Unix time in hex, then a base64 token of its length", () => {
    expect(makeTracker(key, verdict)).toMatch(/^6243a23a_[A-Za-z0-9+/]{86}==$/)
  })
  it('is verified by this appliance, and by no other', () => {
    const tracker = makeTracker(key, verdict)
    expect(verifyTracker(key, tracker)).toEqual(verdict)
    expect(verifyTracker(Buffer.alloc(32, 8), tracker)).toBeNull()
  })
  it('does not survive a change of its time or its token', () => {
    const tracker = makeTracker(key, verdict)
    for (const changed of [
      tracker.replace('6243a23a', '6243a23b'),
      tracker.replace(/_./, (s) => (s === '_A' ? '_B' : '_A')),
      `${tracker.slice(0, 80)}${tracker[80] === 'A' ? 'B' : 'A'}${tracker.slice(81)}`,
      '',
      'x_y',
    ])
      expect(verifyTracker(key, changed)).toBeNull()
  })
})

describe('the two vocabularies', () => {
  it('cover the inner scale, each of them', () => {
    const older = ['Awful', 'Poor', 'Tainted', 'Weak', 'Neutral', 'Good', 'Unknown'].flatMap(levelsForWord)
    const newer = ['Untrusted', 'Questionable', 'Neutral', 'Favorable', 'Trusted', 'Unknown'].flatMap(levelsForWord)
    for (const level of SENDER_LEVELS) {
      expect(older).toContain(level)
      expect(newer).toContain(level)
    }
  })
  it('mean what the issue says', () => {
    expect(levelsForWord('good')).toEqual(['favorable', 'trusted'])
    expect(levelsForWord('Questionable')).toEqual(['poor', 'tainted'])
    expect(levelsForWord('toString')).toEqual([])
    expect(SDR_WORDS).toHaveLength(11)
  })
})
