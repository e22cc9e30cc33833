import { describe, expect, it } from 'vitest'
import { defangUrl } from '../../../src/core/defang.ts'

describe('defangUrl', () => {
  it.each([
    ['http://phish.cua.com/test_url_2022032901_rks', 'BLOCKEDphish[.]cua[.]com/test_url_2022032901_rksBLOCKED'],
    ['https://a.example', 'BLOCKEDa[.]exampleBLOCKED'],
    ['HTTPS://A.Example/x.html?y=z.w#v.u', 'BLOCKEDA[.]Example/x.html?y=z.w#v.uBLOCKED'],
    ['www.example.com/path', 'BLOCKEDwww[.]example[.]com/pathBLOCKED'],
    ['http:\\\\evil.example\\x', 'BLOCKEDevil[.]example\\xBLOCKED'],
    ['http:evil.example', 'BLOCKEDevil[.]exampleBLOCKED'],
    ['http://user.name@evil.example:8080/', 'BLOCKEDuser[.]name@evil[.]example:8080/BLOCKED'],
    ['http://evil。example/', 'BLOCKEDevil[.]example/BLOCKED'],
    ['http://[2001:db8::1]/a', 'BLOCKED[2001:db8::1]/aBLOCKED'],
  ])('turns %s into %s', (url, defanged) => {
    expect(defangUrl(url)).toBe(defanged)
  })
})
