import { UserError, errorText } from '../core/errors.ts'
import { parseIndicator } from './indicator.ts'
import { levelWord, scoreOf, threatWord } from './levels.ts'
import type { IntelExplanation, IntelLookup } from './lookup.ts'

const nobody = { remoteAddress: '127.0.0.1', reverseHost: null, helo: null, headerFrom: null, replyTo: null }

/**
 * What a shared service says of a URL or domain. Opinions are its own: it names the one that decided, and the local
 * store, which no message is judged by then, is not asked.
 */
export const explainRemotely = async (
  lookup: IntelLookup,
  service: string,
  text: string,
  signal: AbortSignal,
): Promise<IntelExplanation> => {
  const parsed = parseIndicator(text)
  if (!parsed.ok) throw new UserError(parsed.error)
  const { kind, key } = parsed.value
  const rule = `The intelligence service ${service} says so.`
  try {
    if (kind === 'domain') {
      const { level, because } = await lookup.sender({ ...nobody, envelopeFrom: key }, signal)
      return { indicator: key, verdict: threatWord(level), score: scoreOf(level), rule, opinions: because }
    }
    const url = `http://${key}`
    const verdict = (await lookup.urls([url], signal)).get(url)
    if (!verdict) throw new Error('it gave no verdict')
    const { level, score, because } = verdict
    return { indicator: key, verdict: levelWord(level), score, rule, opinions: because === null ? [] : [because] }
  } catch (error) {
    signal.throwIfAborted()
    throw new UserError(`The intelligence service ${service} could not be asked: ${errorText(error)}.`)
  }
}
