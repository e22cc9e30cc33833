import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/**
 * What a traced program did to files and sockets, in the order of strace's log. A call of one thread that others
 * interrupted comes as two: `begin`, then `end` with what it returned.
 */
export interface Syscall {
  readonly name: string
  readonly phase: 'begin' | 'end' | 'whole'
  /** Text between the parentheses; strings are still `\x41`. */
  readonly args: string
  /** What it returned; null at `begin`. */
  readonly returned: number | null
  readonly thread: string
}

const TRACED =
  'openat,open,creat,close,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,ftruncate,truncate,fallocate,' +
  'rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,copy_file_range,sendto,sendmsg,msync'

/** The words before the program's own, so that its calls are written to `log`. */
export const straceArgs = (log: string): readonly string[] => [
  ...['-f', '-xx', '-s', '8000000', '-e', 'signal=none', '-e', `trace=${TRACED}`, '-o', log],
]

const returnedBy = (tail: string): number => {
  const [, number = '-1'] = /\)\s+= (-?\d+)/.exec(tail) ?? []
  return Number(number)
}

export async function* readSyscalls(log: string): AsyncGenerator<Syscall> {
  const begun = new Map<string, string>()
  for await (const line of createInterface({ input: createReadStream(log, 'latin1') })) {
    const space = line.indexOf(' ')
    const thread = line.slice(0, space)
    const text = line.slice(space).trimStart()
    const resumed = /^<\.\.\. (\w+) resumed>/.exec(text)
    if (resumed) {
      const args = begun.get(thread) ?? ''
      begun.delete(thread)
      yield { name: resumed[1] as string, phase: 'end', args, returned: returnedBy(text), thread }
      continue
    }
    const name = /^(\w+)\(/.exec(text)?.[1]
    if (name === undefined) continue
    if (text.endsWith('<unfinished ...>')) {
      const args = text.slice(name.length + 1, -'<unfinished ...>'.length)
      begun.set(thread, args)
      yield { name, phase: 'begin', args, returned: null, thread }
      continue
    }
    const end = text.lastIndexOf(') ')
    const args = text.slice(name.length + 1, end)
    yield { name, phase: 'whole', args, returned: returnedBy(text.slice(end)), thread }
  }
}

const STRING = /"((?:\\x[0-9a-f]{2})*)"/g

/** The strings among the arguments, in their order. */
export const stringsOf = (args: string): readonly Buffer[] =>
  [...args.matchAll(STRING)].map(([, hex = '']) => Buffer.from(hex.replaceAll('\\x', ''), 'hex'))

/** The last number among the arguments: offset of pwrite64, length of ftruncate. */
export const lastNumber = (args: string): number => Number(/(\d+)\s*$/.exec(args)?.[1] ?? Number.NaN)
