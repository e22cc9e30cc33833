import type { PaintStyle, Terminal } from '../terminal.ts'

const LEVELS: Readonly<Record<string, PaintStyle>> = {
  Critical: 'bad',
  Warning: 'warning',
  Debug: 'faint',
  Trace: 'faint',
}
const LEVEL = /^([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} )(Critical|Warning|Debug|Trace)(?=: )/

const VERDICTS: Readonly<Record<string, PaintStyle>> = {
  Untrusted: 'bad',
  Awful: 'bad',
  Poor: 'bad',
  Failed: 'bad',
  Questionable: 'warning',
  Tainted: 'warning',
  Weak: 'warning',
  Skipped: 'warning',
  Favorable: 'good',
  Good: 'good',
  Trusted: 'good',
  Remediated: 'good',
}
/** Verdict words only where a verdict stands, so that a subject with such a word stays as it is. */
const VERDICT = new RegExp(
  `((?:Sender Reputation|Threat Level|Remediation status): )(${Object.keys(VERDICTS).join('|')})(?=[,.]|$)`,
  'g',
)

/** The level and the verdict words of one log line in the terminal's colours; as it is where there are none. */
export const colourLine = (terminal: Terminal, line: string): string => {
  if (!terminal.colour) return line
  const styled = (styles: typeof LEVELS) => (_all: string, head: string, word: string) =>
    head + (terminal.paint?.(styles[word] ?? 'strong', word) ?? word)
  return line.replace(VERDICT, styled(VERDICTS)).replace(LEVEL, styled(LEVELS))
}
