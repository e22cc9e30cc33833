/* A country database in the MaxMind DB format (version 2.0 of its specification), small enough for a test. */

type Value = string | number | readonly Value[] | { readonly [key: string]: Value }

const control = (type: number, size: number): Buffer => {
  const [first, extended] = type > 7 ? [0, [type - 7]] : [type << 5, []]
  if (size < 29) return Buffer.from([first | size, ...extended])
  if (size < 285) return Buffer.from([first | 29, ...extended, size - 29])
  throw new Error('too large for a test')
}
const unsigned = (n: number): Buffer => {
  const hex = n === 0 ? '' : n.toString(16)
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')
}
/** Every integer is a uint32. */
const encode = (value: Value): Buffer => {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number') {
    const bytes = unsigned(value)
    return Buffer.concat([control(6, bytes.length), bytes])
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...(value as Value[]).map(encode)])
  const entries = Object.entries(value as Readonly<Record<string, Value>>)
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(([k, v]) => [encode(k), encode(v)])])
}

const bitsOf = (network: string): string => {
  const [address = '', length = ''] = network.split('/')
  if (!address.includes(':')) {
    const four = address.split('.').map((p) => Number(p).toString(2).padStart(8, '0'))
    return '0'.repeat(96) + four.join('').slice(0, Number(length))
  }
  const [head = '', tail = ''] = address.split('::')
  const words = (part: string): readonly string[] => part.split(':').filter((w) => w !== '')
  const missing = 8 - words(head).length - words(tail).length
  const all = [...words(head), ...Array.from({ length: missing }, () => '0'), ...words(tail)]
  return all
    .map((w) => parseInt(w, 16).toString(2).padStart(16, '0'))
    .join('')
    .slice(0, Number(length))
}

interface Node {
  readonly kids: [Node | number | null, Node | number | null]
}

/** `{ '192.0.2.0/24': { country: { iso_code: 'DE' } } }` as a file. */
export const mmdb = (
  networks: Readonly<Record<string, Value>>,
  type = 'Test-Country',
  builtAt = 1_600_000_000,
): Buffer => {
  const root: Node = { kids: [null, null] }
  const data: Buffer[] = []
  let size = 0
  for (const [network, value] of Object.entries(networks)) {
    const bytes = encode(value)
    const bits = bitsOf(network)
    let node = root
    for (const bit of bits.slice(0, -1)) {
      const at = Number(bit)
      const next = node.kids[at]
      if (typeof next === 'object' && next !== null) node = next
      else node.kids[at] = node = { kids: [null, null] }
    }
    node.kids[Number(bits.at(-1))] = size
    data.push(bytes)
    size += bytes.length
  }
  const nodes: Node[] = []
  const number = new Map<Node, number>()
  const walk = (node: Node): void => {
    number.set(node, nodes.push(node) - 1)
    for (const kid of node.kids) if (typeof kid === 'object' && kid !== null) walk(kid)
  }
  walk(root)
  const tree = Buffer.alloc(nodes.length * 6)
  for (const [i, { kids }] of nodes.entries())
    for (const [side, kid] of kids.entries()) {
      const record =
        kid === null ? nodes.length : typeof kid === 'number' ? nodes.length + 16 + kid : (number.get(kid) ?? 0)
      tree.writeUIntBE(record, i * 6 + side * 3, 3)
    }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: builtAt,
    database_type: type,
    description: { en: 'for tests' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  })
  const marker = Buffer.concat([Buffer.from('abcdef', 'hex'), Buffer.from('MaxMind.com')])
  return Buffer.concat([tree, Buffer.alloc(16), ...data, marker, metadata])
}
