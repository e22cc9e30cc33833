import { describe, expect, it } from 'vitest'
import { readMessageId } from '../../../src/core/message-id.ts'

describe('a Message-ID', () => {
  it.each([
    [' <a@x>', '<a@x>'],
    ['\r\n <folded@x>', '<folded@x>'],
    ['\n <folded@x>', '<folded@x>'],
    [' (a comment) <a@x>', '<a@x>'],
    [' <a@x> <b@x>', '<a@x>'],
    [' no brackets ', 'no brackets'],
    [' <h\xc3\xa9@x>', '<hé@x>'],
    [' <h\xe9@x>', '<h\ufffd@x>'],
    [' ', null],
  ])('of the field %j is %j', (raw, id) => {
    expect(readMessageId(raw)).toBe(id)
  })

  it('is cut where no honest one is as long', () => {
    expect(readMessageId(` <${'a'.repeat(5000)}@x>`)).toHaveLength(998)
  })
})
