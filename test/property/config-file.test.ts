import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { createSecretBox } from '../../src/adapters/crypto/secrets.ts'
import { decodeDocument, encodeDocument } from '../../src/config/codec.ts'
import { diffSection } from '../../src/config/diff.ts'
import { frozenCopy, sameValue } from '../../src/config/document.ts'
import type { AnySection, ConfigDocument } from '../../src/config/document.ts'
import { exportLines } from '../../src/config/export.ts'
import { importDocument } from '../../src/config/import.ts'
import { defineSection, secretText } from '../../src/config/section.ts'
import { SECTIONS } from '../../src/config/sections/index.ts'
import { documents, sectionValues } from '../support/arbitrary-config.ts'
import { seededEntropy } from '../support/env.ts'

const box = createSecretBox(new Uint8Array(32).fill(7), seededEntropy())

/** What no section has yet, and the next may: secrets in lists, text without rules, numbers with a fraction. */
const oddities = defineSection({
  name: 'oddities',
  version: 3,
  schema: v.object({
    freeText: v.string(),
    maybeText: v.nullable(v.string()),
    accounts: v.array(v.object({ name: v.string(), passphrase: secretText(), hint: v.nullable(secretText()) })),
    boxes: v.array(v.array(v.string())),
    ratio: v.pipe(v.number(), v.minValue(-5), v.maxValue(5)),
  }),
  defaults: { freeText: '', maybeText: null, accounts: [], boxes: [], ratio: 0 },
}) as unknown as AnySection

/** Cross-section rules are left out: they are about meaning, this is about form. */
const plain = (s: AnySection): AnySection => ({
  name: s.name,
  version: s.version,
  schema: s.schema,
  defaults: s.defaults,
})
const sections = [...SECTIONS, oddities].map(plain)
const MASKED = '*****'

test('save, load, show is the identity for every valid document', () => {
  fc.assert(
    fc.property(documents(sections), (generated) => {
      const document = frozenCopy(generated) as ConfigDocument
      fc.pre(!JSON.stringify(document).includes(MASKED))
      const options = { passphrases: 'encrypt', header: ['Product: Lychgate'], secrets: box } as const
      const saved = [...exportLines(sections, document, options)].join('\n')
      const loaded = importDocument(sections, {}, saved, box)
      expect(loaded.ok ? [] : loaded.error).toEqual([])
      if (!loaded.ok) return
      const again = Object.fromEntries(loaded.value.map((l) => [l.section.name, l.value]))
      expect(again).toStrictEqual(document)
      const shown = (d: ConfigDocument): string[] => [...exportLines(sections, d, { ...options, passphrases: 'mask' })]
      expect(shown(again)).toEqual(shown(document))
    }),
    { numRuns: 150, interruptAfterTimeLimit: 8000 },
  )
})

test('a revision gives back every valid document', () => {
  fc.assert(
    fc.property(documents(sections), (generated) => {
      const document = frozenCopy(generated) as ConfigDocument
      const decoded = decodeDocument(sections, encodeDocument(sections, document, {}, box), box)
      expect(decoded).toStrictEqual({ ok: true, value: { document, foreign: {}, warnings: [] } })
    }),
    { numRuns: 150, interruptAfterTimeLimit: 5000 },
  )
})

test('two values of a section differ exactly when showchanges has a line', () => {
  const pairs = fc
    .constantFrom(...sections)
    .chain((section) => fc.tuple(fc.constant(section), sectionValues(section), sectionValues(section)))
  fc.assert(
    fc.property(pairs, ([section, a, b]) => {
      const [before, after] = [frozenCopy(a), frozenCopy(b)]
      expect(diffSection(section, before, after).length > 0).toBe(!sameValue(before, after))
      expect(diffSection(section, before, frozenCopy(before))).toEqual([])
    }),
    { numRuns: 400, interruptAfterTimeLimit: 5000 },
  )
})

test('a masked file and showchanges hold no secret', () => {
  const text = fc.stringMatching(/^[a-z]{12}$/)
  fc.assert(
    fc.property(text, text, (one, two) => {
      const value = (p: string) => ({
        freeText: '',
        maybeText: null,
        accounts: [{ name: 'a', passphrase: p, hint: p }],
        boxes: [],
        ratio: 0,
      })
      const file = [
        ...exportLines([oddities], { oddities: value(one) }, { passphrases: 'mask', header: [], secrets: box }),
      ].join('\n')
      expect(file).not.toContain(one)
      const shown = JSON.stringify(diffSection(oddities, value(one), value(two)))
      expect(shown).not.toContain(one)
      expect(shown).not.toContain(two)
      expect(importDocument([oddities], {}, file, box).ok).toBe(false)
    }),
    { numRuns: 50 },
  )
})
