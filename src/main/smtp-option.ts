import { isIP } from 'node:net'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

const FORM = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/

/** `127.0.0.1:2525`, `[::1]:2525`, `localhost:2525`. */
export const parseSmtp = (text: string): Result<{ readonly address: string; readonly port: number }> => {
  const [, six, four = '', digits = ''] = FORM.exec(text) ?? []
  const address = six ?? (four === 'localhost' ? '127.0.0.1' : four)
  const port = Number(digits)
  return digits !== '' && isIP(address) !== 0 && port <= 65_535
    ? ok({ address, port })
    : fail('It must be an address and a port like 127.0.0.1:2525 or [::1]:2525.')
}
