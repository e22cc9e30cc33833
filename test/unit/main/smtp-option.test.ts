import { expect, it } from 'vitest'
import { parseSmtp } from '../../../src/main/smtp-option.ts'

it.each([
  ['127.0.0.1:2525', { address: '127.0.0.1', port: 2525 }],
  ['[::1]:25', { address: '::1', port: 25 }],
  ['localhost:0', { address: '127.0.0.1', port: 0 }],
])('reads --smtp %s', (text, value) => {
  expect(parseSmtp(text)).toEqual({ ok: true, value })
})

it.each(['', '2525', '127.0.0.1', '127.0.0.1:99999', 'mail.example.com:25', '::1:25', '127.0.0.1:x'])(
  'refuses --smtp %j',
  (text) => {
    expect(parseSmtp(text).ok).toBe(false)
  },
)
