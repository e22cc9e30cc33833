import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'

/** A message of fixtures/messages with the line ends that SMTP wants. */
export const message = (name: string): Buffer =>
  Buffer.from(readFileSync(join(root, `fixtures/messages/${name}.eml`), 'latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
