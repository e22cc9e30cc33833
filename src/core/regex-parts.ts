/**
 * What can be told about an operator's regular expression without running it: a text that every match must hold, and,
 * for plain ones, the same expression for V8's engine, which is several times faster than ours but backtracks.
 */
export interface RegexParts {
  /** Every match contains it; empty = nothing is certain. */
  readonly literal: string
  /** The expression is that text and nothing else. */
  readonly plain: boolean
  /** For `new RegExp(source, 'mu')`: same matches on one line, none of them across lines. */
  readonly source: string
  /**
   * Texts up to this long may be given to V8: `k` unbounded repeats and `w` ways through the rest cost at most
   * w × length^(k+1), whatever the text. 0 = never (repeats within repeats, too many ways).
   */
  readonly safeLength: number
}

interface Node {
  readonly source: string
  /** The text that this node is, when it is one text only. */
  readonly text: string | null
  readonly literal: string
  readonly unbounded: number
  readonly repeats: boolean
  /** In how many ways it can be gone through, unbounded repeats left out. */
  readonly ways: number
}

/** Steps of some nanoseconds each: a few milliseconds for the worst line. */
const SAFE_LENGTH: readonly number[] = [65_536, 2048, 192]
/** Optional parts and alternatives multiply: `(a|a)` twenty times in a row has a million ways. */
const MAX_WAYS = 1000
const SYNTAX = /[\\^$.|?*+()[\]{}/]/
const WORD = '0-9A-Za-z_'
const SHORT: Readonly<Record<string, string>> = {
  d: '[0-9]',
  D: '[^0-9\\n]',
  w: `[${WORD}]`,
  W: `[^${WORD}\\n]`,
  s: '[\\t\\f\\r ]',
  S: '[^\\t\\f\\r \\n]',
}
const CONTROLS: Readonly<Record<string, string>> = { t: '\t', f: '\f', r: '\r' }
/** Repeat counts make copies of what they repeat. */
const MAX_COUNT = 20

class Unknown extends Error {}

const longer = (a: string, b: string): string => (b.length > a.length ? b : a)
const quoted = (c: string): string => (SYNTAX.test(c) ? `\\${c}` : c)
const node = (source: string, more: Partial<Node> = {}): Node => ({
  source,
  text: null,
  literal: more.text ?? '',
  unbounded: 0,
  repeats: false,
  ways: 1,
  ...more,
})

/** `{least,most}` of what has so many ways itself. */
const repeatedWays = (ways: number, least: number, most: number): number => {
  let sum = 0
  for (let n = least; n <= Math.max(least, most); n++) sum += ways ** n
  return sum
}

const safeLength = ({ unbounded, ways }: Node): number =>
  ways > MAX_WAYS ? 0 : Math.floor((SAFE_LENGTH[unbounded] ?? 0) / ways ** (1 / (unbounded + 1)))

/** null = the expression uses more of the syntax than is understood here. */
export const regexParts = (source: string): RegexParts | null => {
  let at = 0
  let depth = 0
  const peek = (): string => source.charAt(at)
  const take = (): string => source.charAt(at++)

  const escape = (): Node => {
    const c = take()
    const short = SHORT[c]
    if (short !== undefined) return node(short)
    if (c === 'b' || c === 'B') return node(`\\${c}`, { text: '' })
    const text = CONTROLS[c] ?? (/[^\w\s]/.test(c) && c.charCodeAt(0) < 0x80 ? c : null)
    if (text === null) throw new Unknown()
    return node(quoted(text), { text })
  }

  const set = (): Node => {
    const m = /^\^?\]?(?:[^\]\\[]|\\[dwst\]\\\-^.[])*\]/.exec(source.slice(at))
    if (m === null) throw new Unknown()
    at += m[0].length
    const negated = m[0].startsWith('^')
    const inner = m[0].slice(negated ? 1 : 0, -1)
    if (inner === '' || inner.startsWith(']') || /[^\u0020-\u007e]/.test(inner)) throw new Unknown()
    // A hyphen between two sets of characters means different things to different engines.
    if (/\\[dws]-|-\\[dws]/.test(inner)) throw new Unknown()
    const safe = inner
      .replace(/\\([dwst.[])/g, (_all, c: string) =>
        c === 'd' ? '0-9' : c === 'w' ? WORD : c === 's' ? '\\t\\f\\r ' : c === 't' ? '\\t' : quoted(c),
      )
      .replace(/(?<!\\)[/]/g, '\\/')
    return node(negated ? `[^${safe}\\n]` : `[${safe}]`)
  }

  const group = (): Node => {
    if (peek() === '?') {
      if (source.slice(at, at + 2) !== '?:') throw new Unknown()
      at += 2
    }
    if (++depth > 50) throw new Unknown()
    const inner = alternatives()
    if (take() !== ')') throw new Unknown()
    depth--
    return { ...inner, source: `(?:${inner.source})`, text: null }
  }

  const atom = (): Node => {
    const c = take()
    if (c === '.') return node('[^\\n]')
    if (c === '^' || c === '$') return node(c, { text: '' })
    if (c === '\\') return escape()
    if (c === '[') return set()
    if (c === '(') return group()
    if ('*+?{})'.includes(c) || c === '\n') throw new Unknown()
    const pair = c + (c >= '\ud800' && c <= '\udbff' ? take() : '')
    return node(quoted(pair), { text: pair })
  }

  const repeated = (one: Node): Node => {
    const m = /^(?:[*+?]|\{(\d{1,3})(,(\d{0,3}))?\})\??/.exec(source.slice(at))
    if (m === null) return one
    at += m[0].length
    if (/^[*+?{]/.test(source.slice(at)) || one.text === '') throw new Unknown()
    const open = /^[*+]/.test(m[0]) || (m[2] !== undefined && m[3] === '')
    if (Math.max(Number(m[1] ?? 0), Number(m[3] ?? 0)) > MAX_COUNT) throw new Unknown()
    const needed = m[0].startsWith('+') || Number(m[1] ?? 0) > 0
    const least = m[0].startsWith('?') ? 0 : Number(m[1] ?? 1)
    const most = m[0].startsWith('?') ? 1 : m[2] === undefined ? least : Number(m[3] ?? least)
    return {
      source: one.source + m[0],
      text: null,
      literal: needed ? one.literal : '',
      unbounded: one.unbounded + (open ? 1 : 0) + (one.repeats ? SAFE_LENGTH.length : 0),
      repeats: true,
      ways: open ? one.ways : repeatedWays(one.ways, least, most),
    }
  }

  const sequence = (): Node => {
    let all = node('', { text: '' })
    let run = ''
    let best = ''
    while (at < source.length && peek() !== '|' && peek() !== ')') {
      const next = repeated(atom())
      if (next.text !== null) run += next.text
      else {
        best = longer(longer(best, run), next.literal)
        run = ''
      }
      all = {
        source: all.source + next.source,
        text: all.text === null || next.text === null || next.text === '' ? null : all.text + next.text,
        literal: '',
        unbounded: all.unbounded + next.unbounded,
        repeats: all.repeats || next.repeats,
        ways: all.ways * next.ways,
      }
    }
    return { ...all, literal: longer(best, run) }
  }

  const alternatives = (): Node => {
    let all = sequence()
    while (peek() === '|') {
      at++
      const next = sequence()
      all = {
        source: `${all.source}|${next.source}`,
        text: null,
        literal: '',
        unbounded: Math.max(all.unbounded, next.unbounded),
        // One repeat over alternatives that begin alike is as bad as one over a repeat.
        repeats: true,
        ways: all.ways + next.ways,
      }
    }
    return all
  }

  try {
    const whole = alternatives()
    if (at < source.length) return null
    return {
      literal: whole.literal,
      plain: whole.text !== null && whole.text !== '',
      source: whole.source,
      safeLength: safeLength(whole),
    }
  } catch (error) {
    if (error instanceof Unknown) return null
    throw error
  }
}
