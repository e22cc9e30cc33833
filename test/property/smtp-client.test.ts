import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalText, wireBody } from '../../src/mail/smtp/client/body.ts'
import { DataDecoder } from '../../src/mail/smtp/data.ts'
import { dialogue, OFFER } from '../support/smtp-dialogue.ts'

const answer = fc.constantFrom(
  ...['250 ok\r\n', '250 2.1.5 ok\r\n', '354 go\r\n', '550 5.1.1 no\r\n', '451 later\r\n', '421 bye\r\n', '503 no\r\n'],
  ...['250-a\r\n250 b\r\n', '220 go\r\n', '250\r\n', 'nonsense\r\n', '250 ok\n', '554-5.7.1 a\r\n554 b\r\n'],
)
const offer = fc.constantFrom(OFFER, '250 mx\r\n', '250-mx\r\n250 PIPELINING\r\n', '502 no\r\n250 mx\r\n')

it('a conversation is the same however the answers are cut into packets', () => {
  fc.assert(
    fc.property(offer, fc.array(answer, { maxLength: 14 }), (hello, answers) => {
      const text = answers.join('')
      const play = (packets: readonly string[]) => {
        const d = dialogue()
        for (const packet of ['220 mx\r\n', ...hello.split(/(?<=\n)(?=502|250 mx)/)]) d.hear(packet)
        d.send({ to: ['c@d.example', 'e@d.example'] })
        for (const packet of packets) d.hear(packet)
        return { said: d.said.join(''), results: d.results, others: d.others, alive: d.session.alive }
      }
      // Behind 354 a host waits for the message; what it said before would be no answer to it.
      const whole = play(text.split(/(?<=354 go\r\n)/))
      expect(play([...text])).toEqual(whole)
      expect(play(answers)).toEqual(whole)
    }),
    { numRuns: 300, seed: 11 },
  )
})

const bit = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  '.',
  '..',
  '\0',
  'x',
  '\r\n.\r\n',
  '\n.\n',
  '\r.\r',
  '\n.\r\n',
  '\r\n.\0\r\n',
)

it('one message is one message to the next hop, whatever stands in it', () => {
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (bits, chunk) => {
      const message = Buffer.from(bits.join(''), 'latin1')
      const wire = Buffer.concat([...wireBody(message, chunk)])
      const text = wire.toString('latin1')
      // Lax readers too: no line end but CRLF, nothing that a reader might drop, and one lone dot, at the end.
      expect(text).not.toMatch(/[^\r]\n|^\n|\r(?!\n)|\0/)
      expect(text.split('\r\n').filter((line) => line === '.')).toHaveLength(1)
      expect(text.endsWith(wire.length === 3 ? '.\r\n' : '\r\n.\r\n')).toBe(true)
      const decoder = new DataDecoder(1_000_000, false)
      expect(decoder.write(wire, 0)).toBe(wire.length)
      const back = decoder.finish().bytes?.toString('latin1') ?? ''
      const sent = canonicalText(message).toString('latin1')
      expect(back).toBe(sent === '' || sent.endsWith('\r\n') ? sent : `${sent}\r\n`)
    }),
    { numRuns: 500, seed: 12 },
  )
})

it('a message with clean line ends goes out as the same bytes', () => {
  const message = Buffer.from('Subject: x\r\n\r\n.dot\r\ntext\r\n')
  expect(canonicalText(message)).toBe(message)
  expect(Buffer.concat([...wireBody(message)]).toString()).toBe('Subject: x\r\n\r\n..dot\r\ntext\r\n.\r\n')
})
