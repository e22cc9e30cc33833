import { isUtf8 } from 'node:buffer'

export interface Command {
  readonly verb: string
  readonly argument: string
}

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** One command line without its line end; null when it is no text. */
export const parseCommand = (line: Buffer): Command | null => {
  if (!isUtf8(line)) return null
  const text = line.toString('utf8')
  if (CONTROL.test(text)) return null
  const [, verb = '', argument = ''] = /^(\S*)\s*(.*?)\s*$/s.exec(text) ?? []
  return { verb: verb.toUpperCase(), argument }
}
