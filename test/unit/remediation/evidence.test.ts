import { describe, expect, it } from 'vitest'
import { hasOurReceived, headerFields } from '../../../src/remediation/evidence.ts'

const ID = '7.00ff00ff00ff00ff'
const OURS = `Received: from a ([192.0.2.1]) by mx.example.com (Lychgate) with ESMTP id ${ID};\r\n Wed, 30 Mar 2022`
const BEHIND = 'Received: from mx.example.com by store.example.com (Postfix) with ESMTP id 4XYZ;\r\n Wed, 30 Mar 2022'
const found = (...lines: readonly string[]): boolean =>
  hasOurReceived(headerFields(Buffer.from(`${lines.join('\r\n')}\r\nSubject: x\r\n\r\nbody`)), ID)

describe('our own Received header', () => {
  it('counts on top, and below those of hosts behind us, with what they add between', () => {
    expect(found(OURS)).toBe(true)
    expect(found('Return-Path: <a@b>', 'Delivered-To: u', BEHIND, BEHIND, 'DKIM-Signature: v=1', OURS)).toBe(true)
  })

  it('does not count below a later one of our own host: a sender may have written it', () => {
    const later = OURS.replace(ID, '9.1111111111111111')
    expect(found(later, OURS)).toBe(false)
    expect(found(BEHIND, later.replace('mx.example.com', 'MX.Example.COM'), OURS)).toBe(false)
  })

  it('does not count where no host above or in it can be told, nor with another or no id', () => {
    expect(found(BEHIND, `Received: id ${ID}`)).toBe(false)
    expect(found(OURS.replace(ID, `${ID}0`))).toBe(false)
    expect(hasOurReceived(headerFields(Buffer.from(`${OURS}\r\n\r\n`)), '')).toBe(false)
  })

  it('is not taken from the body', () => {
    expect(found('X: y', '', OURS)).toBe(false)
  })
})
