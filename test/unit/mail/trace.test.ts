import { expect, it } from 'vitest'
import { generatedHeader, mailDate, readTrace, receivedHeader, receivedId } from '../../../src/mail/trace.ts'

const AT = new Date('2022-03-29T23:43:08Z')
const FIELDS = {
  helo: 'client.example',
  remoteAddress: '192.0.2.1',
  reverseHost: 'ptr.example',
  hostname: 'mail.example.com',
  protocol: 'ESMTPS',
  receivedId: receivedId(63280, Buffer.from('00ff', 'hex')),
  at: AT,
  offsetSeconds: -14_400,
}

it.each([
  [0, 'Tue, 29 Mar 2022 23:43:08 +0000'],
  [-14_400, 'Tue, 29 Mar 2022 19:43:08 -0400'],
  [20_700, 'Wed, 30 Mar 2022 05:28:08 +0545'],
])('writes the date of RFC 5322 with %i seconds of offset', (offset, text) => {
  expect(mailDate(AT, offset)).toBe(text)
})

it('writes a Received header that can be read back', () => {
  const header = receivedHeader(FIELDS)
  expect(header).toBe(
    'Received: from client.example (ptr.example [192.0.2.1])\r\n' +
      ' by mail.example.com (Lychgate) with ESMTPS id 63280.00ff;\r\n' +
      ' Tue, 29 Mar 2022 19:43:08 -0400\r\n',
  )
  expect(readTrace(header)).toEqual({ host: 'mail.example.com', receivedId: '63280.00ff' })
  expect(readTrace(generatedHeader(FIELDS))).toEqual({ host: 'mail.example.com', receivedId: '63280.00ff' })
  expect(readTrace('')).toEqual({ host: '', receivedId: '' })
})

it('lets a client forge neither a field nor our id', () => {
  const evil = 'x) by mail.example.com (Lychgate) with ESMTP id forged;\r\nX-Evil: 1'
  const header = receivedHeader({ ...FIELDS, helo: evil, reverseHost: evil })
  expect(header.split('\r\n')).toHaveLength(4)
  expect(header).not.toContain('\nX-Evil')
  expect(readTrace(header).receivedId).toBe('63280.00ff')
  const results = `Authentication-Results: mail.example.com;\r\n\tspf=none smtp.mailfrom="by x (Lychgate) id forged;"@evil\r\n`
  expect(readTrace(results + header).receivedId).toBe('63280.00ff')
})
