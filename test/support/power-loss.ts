import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { lastNumber, stringsOf } from './syscalls.ts'
import type { Syscall } from './syscalls.ts'

/**
 * A file system that keeps apart what is on stable storage and what is only written: contents by fsync of the file,
 * names by fsync of the directory. It is fed with the calls of a program; `image` is what a power cut leaves.
 */

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number }

interface File {
  readonly kind: 'file'
  readonly durable: Content
  /** Length of what is written, synced or not. */
  length: number
  pending: Change[]
}

type NameChange = { readonly remove: readonly string[]; readonly add: readonly (readonly [string, Node])[] }

interface Directory {
  readonly kind: 'directory'
  readonly names: Map<string, Node>
  readonly durable: Map<string, Node>
  pending: NameChange[]
}

interface Link {
  readonly kind: 'link'
  readonly target: string
  readonly pending: never[]
}

type Node = File | Directory | Link

interface Open {
  readonly path: string
  readonly node: Node
  readonly append: boolean
  position: number
}

/** Bytes that grow by doubling: a log is appended to in thousands of small steps. */
class Content {
  #buffer: Buffer
  #length: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#buffer = bytes
    this.#length = bytes.length
  }

  apply(change: Change): void {
    const end = 'length' in change ? change.length : change.at + change.bytes.length
    if (end > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#buffer.length))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    if ('length' in change) {
      // What a shorter file once held is zero when it grows again.
      this.#buffer.fill(0, change.length)
      this.#length = change.length
      return
    }
    change.bytes.copy(this.#buffer, change.at)
    this.#length = Math.max(this.#length, end)
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  copy(): Content {
    return new Content(Buffer.from(this.bytes))
  }
}

const newFile = (): File => ({ kind: 'file', durable: new Content(), length: 0, pending: [] })
const newDirectory = (): Directory => ({ kind: 'directory', names: new Map(), durable: new Map(), pending: [] })

const renamed = (names: Map<string, Node>, { remove, add }: NameChange): void => {
  for (const name of remove) names.delete(name)
  for (const [name, node] of add) names.set(name, node)
}

/** A sector reaches the disk whole, a longer write need not. */
const SECTOR = 512

export const createPowerLoss = (root: string) => {
  const top = newDirectory()
  const open = new Map<number, Open>()
  const syncing = new Map<string, { readonly path: string; readonly node: Node; readonly count: number }>()

  const find = (path: string): Node | undefined => {
    if (path === root) return top
    if (!path.startsWith(`${root}/`)) return undefined
    let node: Node | undefined = top
    for (const name of path.slice(root.length + 1).split('/'))
      node = node?.kind === 'directory' ? node.names.get(name) : undefined
    return node
  }
  const parent = (path: string): Directory | undefined => {
    const node = find(dirname(path))
    return node?.kind === 'directory' ? node : undefined
  }
  const rename = (directory: Directory, change: NameChange): void => {
    renamed(directory.names, change)
    directory.pending.push(change)
  }
  const add = (path: string, node: Node): void => {
    const directory = parent(path)
    if (directory) rename(directory, { remove: [], add: [[basename(path), node]] })
  }
  const remove = (path: string): void => {
    const directory = parent(path)
    if (directory) rename(directory, { remove: [basename(path)], add: [] })
  }
  const write = (file: File, at: number, bytes: Buffer): void => {
    file.pending.push({ at, bytes })
    file.length = Math.max(file.length, at + bytes.length)
  }
  const truncate = (file: File, length: number): void => {
    file.pending.push({ length })
    file.length = length
  }

  const opened = (call: Syscall): void => {
    const [path = Buffer.alloc(0)] = stringsOf(call.args)
    const name = path.toString()
    if (!name.startsWith(root)) return void open.delete(call.returned ?? -1)
    let node = find(name)
    if (node?.kind === 'link') node = find(resolve(dirname(name), node.target))
    if (!node) {
      if (!call.args.includes('O_CREAT')) throw new Error(`power loss: ${name} was opened but never made`)
      add(name, (node = newFile()))
    } else if (node.kind === 'file' && call.args.includes('O_TRUNC') && node.length > 0) truncate(node, 0)
    open.set(call.returned ?? -1, { path: name, node, append: call.args.includes('O_APPEND'), position: 0 })
  }

  const written = (call: Syscall, of: Open): void => {
    if (of.node.kind !== 'file') return
    const bytes = Buffer.concat(stringsOf(call.args)).subarray(0, call.returned ?? 0)
    if (call.name === 'pwrite64') return write(of.node, lastNumber(call.args), bytes)
    if (call.name !== 'write' && call.name !== 'writev') throw new Error(`power loss: ${call.name} of a file`)
    const at = of.append ? of.node.length : of.position
    write(of.node, at, bytes)
    of.position = at + bytes.length
  }

  /** What was written before the sync began is on stable storage when it ends. */
  const beginSync = (call: Syscall): void => {
    const of = open.get(Number.parseInt(call.args, 10))
    if (of) syncing.set(call.thread, { path: of.path, node: of.node, count: of.node.pending.length })
  }
  const endSync = (call: Syscall): void => {
    const sync = syncing.get(call.thread)
    syncing.delete(call.thread)
    if (!sync || call.returned !== 0) return
    const { node, count } = sync
    if (node.kind === 'file') for (const change of node.pending.splice(0, count)) node.durable.apply(change)
    else if (node.kind === 'directory')
      for (const change of node.pending.splice(0, count)) renamed(node.durable, change)
  }
  const isSync = ({ name }: Syscall): boolean => name === 'fsync' || name === 'fdatasync'

  const named = (call: Syscall): void => {
    const [from = '', to = ''] = stringsOf(call.args).map(String)
    const node = find(from)
    if (/^symlink/.test(call.name)) return add(to, { kind: 'link', target: from, pending: [] })
    if (/^mkdir/.test(call.name)) return add(from, newDirectory())
    if (/^(unlink|rmdir)/.test(call.name)) return remove(from)
    if (!node) {
      if (to.startsWith(root)) throw new Error(`power loss: ${call.name} of ${from}, which was never made`)
      return
    }
    if (/^link/.test(call.name)) return add(to, node)
    const directory = parent(from)
    if (directory && directory === parent(to))
      return rename(directory, { remove: [basename(from)], add: [[basename(to), node]] })
    add(to, node)
    remove(from)
  }

  const feed = (call: Syscall): void => {
    if (isSync(call) && call.phase === 'whole') beginSync(call)
    if (isSync(call)) return call.phase === 'begin' ? beginSync(call) : endSync(call)
    // Its number is free before the call returns, and may be another file's by then.
    if (call.name === 'close') {
      if (call.phase !== 'end') open.delete(Number.parseInt(call.args, 10))
      return
    }
    if (call.phase === 'begin') return
    if ((call.returned ?? -1) < 0) return
    if (/^(open|openat|creat)$/.test(call.name)) return opened(call)
    if (/^(mkdir|unlink|rmdir|link|symlink|rename)/.test(call.name)) return named(call)
    const of = open.get(Number.parseInt(call.args, 10))
    if (!of) return
    if (/write/.test(call.name)) written(call, of)
    else if (call.name === 'ftruncate' && of.node.kind === 'file') truncate(of.node, lastNumber(call.args))
    else throw new Error(`power loss: no model of ${call.name}`)
  }

  /** The path of which this call, when it is fed, puts something on stable storage; null = of none. */
  const syncs = (call: Syscall): string | null => {
    if (!isSync(call) || call.phase === 'begin' || call.returned !== 0) return null
    const of = call.phase === 'end' ? syncing.get(call.thread) : open.get(Number.parseInt(call.args, 10))
    return of && of.node.pending.length > 0 ? of.path : null
  }

  /** `keep` decides for each change that is not on stable storage; a kept write may end at any sector. */
  const image = (target: string, keep: () => boolean, wanted: (path: string) => boolean): void => {
    const content = (file: File): Buffer => {
      const kept = file.pending.filter(keep)
      if (kept.length === 0) return file.durable.bytes
      const content = file.durable.copy()
      for (const change of kept) {
        const torn = 'bytes' in change && change.bytes.length > SECTOR && keep()
        content.apply(torn ? { at: change.at, bytes: change.bytes.subarray(0, SECTOR) } : change)
      }
      return content.bytes
    }
    const put = (directory: Directory, path: string): void => {
      mkdirSync(join(target, path), { recursive: true })
      const names = new Map(directory.durable)
      for (const change of directory.pending) if (keep()) renamed(names, change)
      for (const [name, node] of names) {
        const inner = join(path, name)
        if (!wanted(inner)) continue
        if (node.kind === 'directory') put(node, inner)
        else if (node.kind === 'link') symlinkSync(node.target, join(target, inner))
        else writeFileSync(join(target, inner), content(node))
      }
    }
    put(top, '')
  }

  return {
    feed,
    syncs,
    image,
    /** The program has ended, the machine has not. */
    ended: (): void => {
      open.clear()
      syncing.clear()
    },
  }
}
